/** Timed rounds of real decoding: generations with plans, each behind an autoregressive one of the same prompt. */
import { median } from 'simple-statistics';
import { createCoupling } from '../../decoding/coupling.js';
import type { DraftExitState } from '../../decoding/draft-exit-state.js';
import { openGraphDrafter } from '../../decoding/drafters/skip.js';
import { decodeRounds } from '../../decoding/rounds.js';
import { planGraph } from '../../engine/draft-graph.js';
import type { Engine } from '../../engine/engine.js';
import type { KvCache } from '../../engine/kv-cache.js';
import type { EvaluationSettings } from '../../evaluation/run.js';
import { timeInTurns } from '../../measurement/pass-timer.js';
import { MAX_DRAFT_LENGTH } from '../../optimise/candidate.js';
import type { DraftPlan } from '../../profile/draft-plan.js';
import { Random } from '../../random.js';
import type { TimedRound } from './cost-model.js';
import { draftShape } from './draft-shape.js';
import type { TimedPair } from './drift.js';

/** New tokens of a generation. */
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

/** On what rounds are timed. */
export interface TimingRequest {
  readonly engine: Engine;
  /** Contexts to time at. */
  readonly prompts: readonly (readonly number[])[];
  readonly settings: Pick<EvaluationSettings, 'sampling' | 'coupling'>;
  readonly signal?: AbortSignal | undefined;
}

/** Which rounds are timed. */
export interface TimedPlans {
  readonly plans: readonly DraftPlan[];
  /** Generations of each, on one prompt after another; half as many of slow models. */
  readonly usualGenerations: number;
  /** Drafts are of every length up to this, each equally often, in random order. */
  readonly longestDraft: number;
  readonly random: Random;
  /** Told of every plan that is done. */
  readonly onPlan?: (done: number) => void;
}

/** Times the generations of plans. @returns those of each, behind their autoregressive ones: [plans][generations]. */
export async function timePlans(
  request: TimingRequest,
  { plans, usualGenerations, longestDraft, random, onPlan = () => {} }: TimedPlans,
): Promise<TimedPair[][]> {
  const { cache, prompts } = timingCache(request);
  let done = 0;
  // Of one generation, so that one that is timed again has drafts of the same lengths.
  let seed = random.next32();
  let generations = usualGenerations;
  const generation = async (plan: DraftPlan | null) => {
    request.signal?.throwIfAborted();
    const prompt = prompts[done % prompts.length]!;
    const rounds = await timeGeneration(request, { cache, prompt, plan, longestDraft, seed });
    if (done === 0 && plan === null) generations = generationsFor(usualGenerations, rounds);
    return rounds;
  };
  const turns = await timeInTurns(
    [() => generation(null), () => generation(plans[Math.floor(done / generations)]!)],
    {
      settling,
      goesOn(rounds) {
        done = rounds;
        seed = random.next32();
        if (done % generations === 0) onPlan(done / generations);
        return done < plans.length * generations;
      },
    },
  );
  const pairs = turns.map(([plain, drafted]): TimedPair => ({ plain: plain!, drafted: drafted! }));
  return plans.map((_, i) => pairs.slice(i * generations, (i + 1) * generations));
}

/** Prompts to time at, and room for any of them. One that leaves less room is cut: what its passes cost is wanted, not its text. */
function timingCache({ engine, prompts: given }: TimingRequest) {
  const { contextLength } = engine.config;
  const most = Math.max(1, contextLength - draftedTokens);
  const prompts = given.map((prompt) => prompt.slice(0, most));
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  return { prompts, cache: engine.createCache(Math.min(contextLength, longest + draftedTokens)) };
}

/** What to decode while it is timed. */
interface TimedGeneration {
  readonly cache: KvCache;
  readonly prompt: readonly number[];
  /** null: autoregressively. */
  readonly plan: DraftPlan | null;
  /** Drafts are of every length up to this, in an order that the seed decides. */
  readonly longestDraft: number;
  readonly seed: number;
}

/** Decodes with drafts of lengths in random order, each length equally often. */
async function timeGeneration(
  { engine, settings }: TimingRequest,
  { cache, prompt, plan, longestDraft, seed }: TimedGeneration,
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
    graph &&
    (await openGraphDrafter(graph, longestDraft, lengths(longestDraft, new Random(seed)), context));
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
