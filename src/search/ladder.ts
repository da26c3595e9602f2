/**
 * The first rungs of the fidelity `ladder` (run.ts has the words): a mask is scored by replaying the target's own continuations
 * with its draft, simulating every draft-length rule on what that shows, and pricing the rounds with a cost model that was
 * calibrated once. The score is the best rule's predicted speedup.
 */
import { createCoupling } from '../decoding/coupling.js';
import { draftThreads, skipGraph } from '../engine/draft-graph.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { EvaluationPrompt, EvaluationSettings } from '../evaluation/run.js';
import type { SearchedRule } from '../optimise/candidate.js';
import { bitsToMask } from '../profile/mask.js';
import { type Calibration, draftShape } from './cost/calibrate.js';
import { type DraftPrices, priceDraft } from './cost/cost-model.js';
import { bestRule, type Replayed, type RuleScore } from './replay/best-rule.js';
import { type ReplayRecord, replayDraft } from './replay/records.js';
import { makeReference, type Reference } from './replay/reference.js';
import type { Scored, Scorer } from './scorer.js';

/** The rule that proposals carry before their score has found a better one. */
const unsearchedRule: SearchedRule = { exit: 'fixed', draftLength: 4, threshold: 0 };

/** The ladder's first rung, and what else it can tell of a candidate. */
export interface Ladder extends Scorer {
  /** What replay shows of a mask on all prompts, and what its passes cost. */
  replay(mask: Uint8Array): Promise<Replayed>;
  /** What replay shows of a mask on the prompts that {@link Scorer.score} uses. */
  records(mask: Uint8Array): Promise<readonly ReplayRecord[]>;
  /** What another machine needs to score alike. */
  readonly basis: ScoringBasis;
}

/** On what a ladder scores. */
export interface ScoringBasis {
  /** How many prompts its scores are of, those included that end with their first token. */
  readonly prompts: number;
  /** Where drafts are priced, in positions of context, and on how many threads. */
  readonly position: number;
  readonly threads: number;
}

/** What a ladder is made from. */
export interface LadderRequest {
  readonly engine: Engine;
  readonly calibration: Pick<Calibration, 'model'>;
  readonly prompts: readonly EvaluationPrompt[];
  /** Prompts that {@link Scorer.score} uses: the first of `prompts`. */
  readonly promptsPerTrial: number;
  readonly settings: EvaluationSettings;
  readonly signal?: AbortSignal | undefined;
  /** Where and on how many threads drafts are priced; default: the mean place of the continuations, and the engine's own. */
  readonly pricing?: Pick<ScoringBasis, 'position' | 'threads'>;
  /** Told as the target's continuations are made. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Makes the target's continuations of all prompts, and a scorer over them. */
export async function createLadder(request: LadderRequest): Promise<Ladder> {
  const { engine, prompts, settings, signal, onProgress = () => {} } = request;
  const references: Reference[] = [];
  let scoredPrompts = prompts.length;
  for (const [i, prompt] of prompts.entries()) {
    signal?.throwIfAborted();
    const reference = await makeReference(engine, prompt.tokens, settings, i);
    if (reference && references.push(reference) === request.promptsPerTrial) scoredPrompts = i + 1;
    onProgress(i + 1, prompts.length);
  }
  if (references.length === 0) {
    throw new InputError(
      'The model ends its answer to every calibration prompt with the first token: there is nothing to draft.',
    );
  }
  const gated = await engine.loadGated();
  const coupling = createCoupling(settings.coupling, settings.sampling, engine.config.vocabSize, 1);
  const { position, threads } = request.pricing ?? {
    position: meanPosition(references),
    threads: engine.threads,
  };

  const replay = async (mask: Uint8Array, count: number): Promise<Replayed> => {
    const skip = bitsToMask(mask);
    const gates = gated.gates(skip);
    const records: ReplayRecord[] = [];
    for (const reference of references.slice(0, count)) {
      signal?.throwIfAborted();
      records.push(await replayDraft(gated, reference, gates, coupling));
    }
    const { config, model } = engine;
    const shape = draftShape(mask, draftThreads(skipGraph(skip), config, model.precision, threads));
    return { records, prices: priceDraft(request.calibration.model, shape, position) };
  };
  return {
    draft: unsearchedRule,
    async score({ mask }) {
      const replayed = await replay(mask, request.promptsPerTrial);
      return scored(mask, bestRule(replayed), replayed.prices);
    },
    replay: (mask) => replay(mask, references.length),
    records: async (mask) => (await replay(mask, request.promptsPerTrial)).records,
    basis: { prompts: scoredPrompts, position, threads },
    close: () => gated.close(),
  };
}

function scored(mask: Uint8Array, { rule, rounds, time }: RuleScore, prices: DraftPrices): Scored {
  const count = rounds.rounds.reduce((sum, n) => sum + n, 0);
  return {
    candidate: { mask, draft: rule },
    score: time.speedup,
    // Replay repeats to the bit: on these prompts the score has no noise.
    variance: 0,
    figures: {
      predicted_speedup: time.speedup,
      draft_acceptance_rate: rounds.proposed > 0 ? rounds.accepted / rounds.proposed : 0,
      mean_acceptance_length: rounds.tokens / count,
      c: prices.pass / prices.autoregressive,
    },
  };
}

/** Where the places of all references lie on average. */
function meanPosition(references: readonly Reference[]): number {
  let sum = 0;
  let places = 0;
  for (const { position, tokens } of references) {
    const count = tokens.length - 1;
    sum += count * (position + (count - 1) / 2);
    places += count;
  }
  return sum / places;
}
