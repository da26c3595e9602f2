/**
 * The library: `import { loadModel, generate } from 'sspec'`. Everything that the command line does is built from this.
 *
 * ```ts
 * const model = await loadModel('demo');
 * const { profile } = readFittingProfile('profile.json', model.engine);
 * const prompt = model.tokenizer!.encodePrompt('Once upon a time');
 * const request = { prompt, method: profileMethod(profile), tokenizer: model.tokenizer };
 * for await (const { text } of generate(model.engine, request)) process.stdout.write(text);
 * await model.close();
 * ```
 *
 * Faults of what was given (a reference, a file, an option) are thrown as {@link InputError}; what the modules below this
 * file have and it does not name may change in any release.
 */
export type { ChatMessage } from './checkpoint/chat-template.js';
export type { TextTokenizer } from './checkpoint/tokenizer.js';
export type { Dataset, Prompt, Split } from './datasets/dataset.js';
export { type DatasetListing, listDatasets } from './datasets/list.js';
export { loadDataset } from './datasets/load.js';
export type { CouplingName } from './decoding/coupling.js';
export type { DraftExit } from './decoding/draft-exit.js';
export type { DraftRule } from './decoding/draft-rule.js';
export type { Draft, Drafter } from './decoding/drafter.js';
export type { CustomContext, CustomMethod } from './decoding/drafters/custom.js';
export {
  type FinishReason,
  type GenerateEvent,
  type GenerateRequest,
  type Generation,
  generate,
} from './decoding/generate.js';
export type { EmittedLogprob, TokenLogprob } from './decoding/logprobs.js';
export type { Method } from './decoding/method.js';
export {
  type FittingProfile,
  profileMethod,
  readFittingProfile,
} from './decoding/profile-method.js';
export type { Round } from './decoding/rounds.js';
export { GREEDY, type SamplingOptions } from './decoding/sampling/options.js';
export type { DecodeStatistics } from './decoding/statistics.js';
export { type DraftGraph, skipGraph } from './engine/draft-graph.js';
export type { DraftLease, Engine } from './engine/engine.js';
export type { KvCache } from './engine/kv-cache.js';
export { type LoadOptions, loadModel, type Model } from './engine/load-model.js';
export { InputError } from './errors.js';
export { type AllTurns, addLaterTurns } from './evaluation/conversation.js';
export { type Divergence, findDivergences } from './evaluation/divergence.js';
export { evaluate } from './evaluation/evaluate.js';
export {
  type DatasetRecord,
  type TokenizedPrompts,
  tokenizePrompts,
} from './evaluation/prompts.js';
export type {
  Conversation,
  EvaluationPrompt,
  EvaluationRequest,
  EvaluationResult,
  EvaluationSettings,
  NamedMethod,
  Sample,
} from './evaluation/run.js';
export { type EvaluationRow, summarise } from './evaluation/summary.js';
export type { Precision } from './graph/quantise.js';
export type { PullOptions } from './hub/client.js';
export type { Candidate } from './optimise/candidate.js';
export type { SamplerName } from './optimise/sampler.js';
export { type Bridge, type DraftPlan, skipPlan } from './profile/draft-plan.js';
export { checkProfileFits, type ProfileTarget } from './profile/fit.js';
export type { SkipMask } from './profile/mask.js';
export { parseProfile, readProfile, writeProfile } from './profile/profile.js';
export type { Profile } from './profile/schema.js';
export type { Fidelity } from './search/defaults.js';
export type { Finalist } from './search/finalist.js';
export type { FinishedSearch } from './search/finished-search.js';
export { foundProfile, type ProfileSources } from './search/found-profile.js';
export { chooseHoldout, type SearchPrompts, type SearchSplit } from './search/holdout.js';
export type { Measurement } from './search/measure.js';
export { runSearch } from './search/run.js';
export { searchModel } from './search/search-model.js';
export type { SearchOptions } from './search/search-options.js';
export type { SearchProgress, SearchRequest } from './search/search-request.js';
export type { SearchResult } from './search/search-result.js';
export type { StudyEvent, StudyHeader, StudyStart } from './study/events.js';
export { journalStorage } from './study/journal.js';
export { LockedError, type LockedStudy, type StudyLog } from './study/log.js';
export { logStorage } from './study/log-storage.js';
export { postgresStorage, type SharedStorage } from './study/postgres/storage.js';
export type { Trial } from './study/state.js';
export type { OpenStudy, StudyRecord, StudyStorage } from './study/storage.js';
