import { median } from 'simple-statistics';
import type { ModelConfig } from '../../checkpoint/model-config.js';
import { createCoupling } from '../../decoding/coupling.js';
import type { DraftExitState } from '../../decoding/draft-exit.js';
import { openGraphDrafter } from '../../decoding/drafters/skip.js';
import { decodeRounds } from '../../decoding/rounds.js';
import { type DraftGraph, planGraph } from '../../engine/draft-graph.js';
import type { Engine } from '../../engine/engine.js';
import type { KvCache } from '../../engine/kv-cache.js';
import type { EvaluationSettings } from '../../evaluation/run.js';
import { timeInTurns } from '../../measurement/pass-timer.js';
import { MAX_DRAFT_LENGTH } from '../../optimise/candidate.js';
import { type Bridge, type DraftPlan, skippedRuns } from '../../profile/draft-plan.js';
import { bitsToMask } from '../../profile/mask.js';
import { Random } from '../../random.js';
import {
  type CostModel,
  type DraftShape,
  fitCostModel,
  predictionErrors,
  type TimedRound,
} from './cost-model.js';
import { type TimedPair, withoutDrift } from './drift.js';

/** Plans that are timed, from dense to sparse. */
const plans = 16;
/** Each is predicted by a model fitted on the plans of the other parts. */
const parts = 4;
/** Generations of a plan, each on another prompt, and new tokens of each. */
const usualGenerations = 2;
const draftedTokens = 20;
const plainTokens = 12;
/**
 * Rounds at the start of a generation that are not counted, but half of them at most: the caches still hold what ran before. Of
 * autoregressive ones (kind 0) these are four, while rounds with drafts (1) drive each other's weights out all the time.
 */
export function settling(rounds: number, kind: number): number {
  return Math.min(kind === 0 ? 4 : 2, Math.floor(rounds / 2));
}

/** Seconds of a pass from which on a machine's unrest, which is of milliseconds, hardly shows, and half as many generations do. */
const slowPass = 0.05;

/** How many of so many generations to time, by the first autoregressive one. */
export function generationsFor(usual: number, first: readonly TimedRound[]): number {
  const seconds = first.map((round) => round.targetSeconds);
  return seconds.length > 0 && median(seconds) > slowPass ? Math.ceil(usual / 2) : usual;
}

/** A calibrated cost model and how well it predicts passes of plans that it was not fitted on. */
export interface Calibration {
  readonly model: CostModel;
  /** Median absolute relative errors of a round's draft passes and of its target pass. */
  readonly error: { readonly draft: number; readonly target: number };
}

/** What to calibrate on. */
export interface CalibrationRequest {
  readonly engine: Engine;
  /** Contexts to time at. */
  readonly prompts: readonly (readonly number[])[];
  readonly settings: Pick<EvaluationSettings, 'sampling' | 'coupling'>;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Fits a cost model on timed rounds of random plans, with drafts of every length, interleaved with autoregressive ones. */
export async function calibrateCosts(request: CalibrationRequest): Promise<Calibration> {
  const { engine, signal, onProgress = () => {} } = request;
  const random = new Random(request.seed);
  const { cache, prompts } = timingCache(request);
  const list = spreadPlans(engine.config, random);
  let done = 0;
  let generations = usualGenerations;
  const generation = async (plan: DraftPlan | null) => {
    signal?.throwIfAborted();
    const prompt = prompts[done % prompts.length]!;
    const longestDraft = MAX_DRAFT_LENGTH;
    const timed = { cache, prompt, plan, longestDraft };
    const rounds = await timeGeneration(request, timed, random);
    if (done === 0 && plan === null) generations = generationsFor(usualGenerations, rounds);
    return rounds;
  };
  const turns = await timeInTurns(
    [() => generation(null), () => generation(list[Math.floor(done / generations)]!)],
    {
      settling,
      goesOn(rounds) {
        done = rounds;
        if (done % generations === 0) onProgress(done / generations, plans);
        return done < plans * generations;
      },
    },
  );
  const pairs = turns.map(([plain, drafted]): TimedPair => ({ plain: plain!, drafted: drafted! }));
  const steady = withoutDrift(pairs);
  const timed = Array.from({ length: plans }, (_, i) =>
    steady.slice(i * generations, (i + 1) * generations).flat(),
  );
  const errors = { draft: [] as number[], target: [] as number[] };
  for (let part = 0; part < parts; part++) {
    const model = fitCostModel(timed.filter((_, i) => i % parts !== part).flat());
    const own = predictionErrors(model, timed.filter((_, i) => i % parts === part).flat());
    errors.draft.push(...own.draft);
    errors.target.push(...own.target);
  }
  return {
    model: fitCostModel(timed.flat()),
    error: { draft: median(errors.draft), target: median(errors.target) },
  };
}

/**
 * Plans whose shares of kept attention, of kept MLP sublayers, of words in the head and of runs with a bridge each run evenly
 * from few to all, paired at random (a Latin hypercube), so that they can be told apart; every other one has a memory. What a bridge
 * maps to does not matter to its cost: all are zero.
 */
function spreadPlans({ layers, hiddenSize, vocabSize }: ModelConfig, random: Random): DraftPlan[] {
  const shares = Array.from({ length: plans }, (_, i) => (i + 0.5) / plans);
  const shuffled = () => {
    const order = [...shares];
    random.shuffle(order);
    return order;
  };
  const [mlp, words, bridged] = [shuffled(), shuffled(), shuffled()] as const;
  const weight = new Float32Array(hiddenSize * hiddenSize);
  const bias = new Float32Array(hiddenSize);
  return shares.map((attention, i) => {
    const bits = new Uint8Array(2 * layers);
    for (const [kind, share] of [attention, mlp[i]!].entries()) {
      const order = Array.from({ length: layers }, (_, layer) => layer);
      random.shuffle(order);
      const skipped = layers - Math.round(share * layers);
      for (const layer of order.slice(0, skipped)) bits[2 * layer + kind] = 1;
    }
    const runs = skippedRuns(bits);
    const bridges: Bridge[] = runs
      .slice(0, Math.round(bridged[i]! * runs.length))
      .map((run, nth) => ({
        ...run,
        weight,
        ...(nth === 0 && i % 2 === 0 && { memory: weight }),
        bias,
      }));
    // A head of more than half of the words is the whole one, as in a search.
    const columns = words[i]! < 1 / 2 ? Math.max(1, Math.floor(words[i]! * vocabSize)) : null;
    const ids = columns === null ? null : Int32Array.from({ length: columns }, (_, id) => id);
    return { mask: bitsToMask(bits), bridges, words: ids };
  });
}

/** Prompts to time at, and room for any of them. One that leaves less room is cut: what its passes cost is wanted, not its text. */
export function timingCache({ engine, prompts: given }: CalibrationRequest) {
  const { contextLength } = engine.config;
  const most = Math.max(1, contextLength - draftedTokens);
  const prompts = given.map((prompt) => prompt.slice(0, most));
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  return { prompts, cache: engine.createCache(Math.min(contextLength, longest + draftedTokens)) };
}

/** What to decode while it is timed. */
export interface TimedGeneration {
  readonly cache: KvCache;
  readonly prompt: readonly number[];
  /** null: autoregressively. */
  readonly plan: DraftPlan | null;
  /** Drafts are of every length up to this. */
  readonly longestDraft: number;
}

/** Decodes with drafts of lengths in random order, each length equally often. */
export async function timeGeneration(
  { engine, settings }: CalibrationRequest,
  { cache, prompt, plan, longestDraft }: TimedGeneration,
  random: Random,
): Promise<TimedRound[]> {
  const { config } = engine;
  const coupling = createCoupling(
    settings.coupling,
    settings.sampling,
    config.vocabSize,
    MAX_DRAFT_LENGTH,
  );
  const eos = new Set<number>();
  const graph = plan && planGraph(plan, engine.model);
  const context = { engine, cache, coupling, eos };
  const drafter =
    graph && (await openGraphDrafter(graph, longestDraft, lengths(longestDraft, random), context));
  const room = config.contextLength - prompt.length;
  const maxNewTokens = Math.min(room, plan ? draftedTokens : plainTokens);
  const shape = graph && draftShape(graph, config);
  const rounds: TimedRound[] = [];
  try {
    const request = { engine, cache, prompt, maxNewTokens, drafter, coupling, eos };
    for await (const round of decodeRounds(request)) {
      if (round.kind === 'prefill' || (shape && round.drafted.length === 0)) continue;
      rounds.push({
        shape,
        context: round.position - 1,
        drafted: round.drafted.length,
        draftSeconds: round.draftSeconds,
        targetSeconds: round.targetSeconds,
      });
    }
  } finally {
    await drafter?.close();
  }
  return rounds;
}

/** What of a draft matters to its cost. */
export function draftShape(
  { mask, headTokens, bridgeProducts }: DraftGraph,
  { layers, vocabSize }: ModelConfig,
): DraftShape {
  return {
    attention: 1 - mask.attention.length / layers,
    mlp: 1 - mask.mlp.length / layers,
    head: (headTokens?.length ?? vocabSize) / vocabSize,
    bridges: bridgeProducts / layers,
  };
}

/** A draft exit that ends each draft at the next length of a shuffled deck of all lengths. */
function lengths(longest: number, random: Random): DraftExitState {
  let deck: number[] = [];
  let next = 0;
  const draw = () => {
    if (deck.length === 0) {
      deck = Array.from({ length: longest }, (_, i) => i + 1);
      random.shuffle(deck);
    }
    next = deck.pop()!;
  };
  draw();
  return {
    threshold: 0,
    shouldStop: (drafted) => drafted >= next,
    afterVerify: draw,
  };
}
