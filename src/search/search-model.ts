/**
 * The search as the library has it: prompts to search and to confirm on, a study that keeps what is learnt, the rungs of the
 * search (run.ts), and the profile and document of what was found.
 */
import { resolve } from 'node:path';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { DatasetRecord } from '../evaluation/prompts.js';
import { isBusyWarning } from '../measurement/busy.js';
import { hostName } from '../measurement/host-class.js';
import { defaultStudyName } from '../study/default-name.js';
import type { StudyStart } from '../study/events.js';
import { openSearchStudy } from '../study/open-search-study.js';
import { isShared } from '../study/postgres/storage.js';
import type { OpenStudy } from '../study/storage.js';
import { REPLAY_SCORING } from './defaults.js';
import { type FinishedSearch, finishedSearch, noteFinished } from './finished-search.js';
import { foundProfile } from './found-profile.js';
import { chooseHoldout, type SearchSplit } from './holdout.js';
import { runSearch } from './run.js';
import { draftWeightsFile, saveProfile, updateSaved } from './save-profile.js';
import { searchDocument } from './search-document.js';
import { planOf, type SearchOptions, type SearchPlan } from './search-options.js';
import type { SearchRequest } from './search-request.js';
import { disturbedWarning } from './watched-rungs.js';

/** With the search itself a batch of 64. */
const MOST_WORKERS = 63;
/** Notes of who began a search; all others, and trials, are something that was found out. */
const WHO: readonly string[] = ['command', 'model'];

/**
 * Searches a skip mask and a draft-length rule for a model, or goes on with a search, and writes the profile of what it found.
 * A study that has been through all its rungs measures nothing anew; one in which nothing was found out does not stay.
 * @throws InputError for a fault of the options, a study that is there already or is being written, or when the time was over
 *   before a trial had finished; the signal's reason when aborted.
 */
export async function searchModel(model: Model, options: SearchOptions): Promise<FinishedSearch> {
  const { started = performance.now(), onNotice = () => {} } = options;
  const plan = planOf(options);
  const shared = sharedStorage(options, plan);
  const split = chooseHoldout(model, options.dataset, options.holdout, plan.seed, options);
  split.warnings.forEach(onNotice);
  const { study, notice } = await openSearchStudy(options.storage, {
    asked: options.study,
    resume: options.resume ?? false,
    defaultName: defaultStudyName({
      ...plan,
      model: model.reference,
      precision: model.engine.model.precision,
      dataset: split.calibration.dataset.name,
      sampling: plan.settings.sampling,
    }),
    start: startOf(model, plan, split),
  });
  try {
    if (notice !== undefined) onNotice(notice);
    const known = finishedSearch(study, plan);
    if (!known || !updateSaved(options.output, known.profile, known.document.profile)) {
      const queue = await shared?.openTrialQueue(study.header, true);
      const batch = (options.workers ?? 0) + 1;
      const distribution = queue && { queue, batch, host: hostName() };
      const search = distribution ? { ...plan, distribution } : plan;
      return await searchAnew(model, options, search, split, study, started).finally(() =>
        queue?.close(),
      );
    }
    const { study: name } = study.header;
    onNotice(`Study ${name} is finished: what it found is told again, nothing measured anew.`);
    return { ...known, document: { ...known.document, profile: options.output } };
  } finally {
    await study.close();
    // Refused, or stopped at once. Where it cannot be removed, as another process has it by now, nothing is lost.
    if (isBare(study)) await options.storage.remove([study.header.study]).catch(() => {});
  }
}

/** Whether a study says no more than who began it. */
function isBare({ events }: OpenStudy): boolean {
  return events.every((event) => event.type === 'note' && WHO.includes(event.key));
}

async function searchAnew(
  model: Model,
  { output, signal, onProgress, onNotice, warnings = [], command = 'searchModel' }: SearchOptions,
  plan: SearchPlan & Pick<SearchRequest, 'distribution'>,
  split: SearchSplit,
  study: OpenStudy,
  started: number,
): Promise<FinishedSearch> {
  const { reference, engine } = model;
  const { calibration, holdout } = split;
  const request: SearchRequest = {
    ...plan,
    calibration: calibration.prompts,
    holdout: holdout.prompts,
    fitting: split.fitting,
    study,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    ...(onNotice && { onNotice }),
  };
  await study.append({ type: 'note', key: 'command', value: command });
  await study.append({ type: 'note', key: 'model', value: reference });
  const result = await runSearch(model, request);
  signal?.throwIfAborted();
  const busy = disturbedWarning(study);
  if (busy !== undefined) onNotice?.(busy);
  const studyName = study.header.study;
  const weights = draftWeightsFile(result.winner.plan, output);
  const profile = foundProfile(engine, request, result, {
    draftWeights: weights?.entry ?? null,
    reference,
    studyName,
    dataset: calibration.dataset,
    holdout: holdout.dataset,
    command,
    warnings: [
      ...(busy === undefined ? warnings : [...warnings.filter((w) => !isBusyWarning(w)), busy]),
      ...interruptionWarnings(result.interruptedPrompts),
    ],
  });
  if (!saveProfile(output, profile, weights?.bytes ?? null))
    onNotice?.(
      `The profile's draft weights (${weights?.entry.file}) are not kept, as ${output} is no file: search again with --output FILE to decode with it.`,
    );
  const document = searchDocument(studyName, request, result, output, split, started);
  // Absolute: who goes on with the study may be in another folder.
  await noteFinished(study, request, {
    profile,
    document: { ...document, profile: resolve(output) },
  });
  return { profile, document };
}

/** The database of a search with workers; undefined for one without. */
function sharedStorage({ workers = 0, storage }: SearchOptions, { fidelity }: SearchPlan) {
  if (workers === 0) return undefined;
  if (workers > MOST_WORKERS)
    throw new InputError(`--workers is ${workers}: trials are given to ${MOST_WORKERS} at most.`);
  if (!isShared(storage))
    throw new InputError(
      `--workers needs a study that other machines can reach: give --storage postgres://user@host/name instead of ${storage.place}.`,
    );
  if (fidelity === 'decode')
    throw new InputError(
      '--workers is for --fidelity ladder: real decoding is timed, and times of several machines cannot be compared.',
    );
  return storage;
}

/** What a profile tells of a measurement that was interrupted. */
function interruptionWarnings(prompts: number): string[] {
  if (prompts === 0) return [];
  const counted = prompts === 1 ? '1 prompt' : `${prompts} prompts`;
  return [
    `The held-out measurement was interrupted within ${counted}: there autoregressive decoding and the method were timed in different runs.`,
  ];
}

/** What must be the same for a study to be gone on with: whatever decides what a score means. */
function startOf(
  { engine }: Model,
  plan: SearchPlan,
  { calibration, holdout }: SearchSplit,
): StudyStart {
  const { maxNewTokens, sampling } = plan.settings;
  return {
    sampler: plan.sampler,
    seed: plan.seed,
    bits: 2 * engine.config.layers,
    context: {
      weights_hash: engine.model.weightsHash,
      precision: engine.model.precision,
      threads: engine.threads,
      fidelity: plan.fidelity,
      ...(plan.fidelity === 'ladder' && { scoring: REPLAY_SCORING }),
      dataset: identity(calibration.dataset),
      holdout: identity(holdout.dataset),
      prompts_per_trial: plan.promptsPerTrial,
      max_new_tokens: maxNewTokens,
      temperature: sampling.temperature,
      top_k: sampling.topK,
      top_p: sampling.topP,
      min_p: sampling.minP,
    },
  };
}

/** What tells one set of prompts from another; the name says which share of a dataset it is. */
function identity({ name, hash, chat_template, system }: DatasetRecord) {
  return { name, hash, ...(chat_template && { chat_template, ...(system && { system }) }) };
}
