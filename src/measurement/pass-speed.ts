/**
 * How fast passes of a model are here, and what that allows speculative decoding to gain.
 *
 * symbol | meaning
 * -------|------------------------------------------------------------------------------------------
 * T(M)   | seconds of a target pass over M tokens
 * v(M)   | T(M) / T(1), the price of verifying M - 1 drafted tokens and the last one
 * c      | seconds of a draft pass / T(1); its floor is a pass with every sublayer skipped
 * K      | draft length; a: chance that a drafted token is accepted, given all before it were
 *
 * Expected speedup of drafts of K tokens: E / (K c + v(K + 1)) with E = (1 - a^(K+1)) / (1 - a) tokens per round
 * (Leviathan, Kalman and Matias 2023, theorem 3.8, who take v = 1).
 */
import { mean, median } from 'simple-statistics';
import { allOrNone } from '../engine/all-or-none.js';
import { skipGraph } from '../engine/draft-graph.js';
import type { DraftLease, Engine } from '../engine/engine.js';
import { ofKind, repeated, timeInTurns } from './pass-timer.js';

/** Tokens of the target passes that are timed. */
const passTokens = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 17] as const;
/** Share of the context that is filled while timing; long contexts only to this many positions. */
const fill = 0.5;
const longestFill = 512;
const fewestRounds = 3;
/** How long one kind of pass is run before the next. */
const stretchMilliseconds = 50;
const fewestRepeats = 2;
/** Draft passes between two target passes. */
const draftsBetween = 4;

/** Medians of timed passes. */
export interface PassSpeed {
  /** Positions before each timed pass. */
  readonly context: number;
  /** T(1) in seconds. */
  readonly targetSeconds: number;
  readonly verify: readonly {
    readonly tokens: number;
    readonly seconds: number;
    readonly v: number;
  }[];
  /** c of a pass with every sublayer skipped: embedding, head and the engine around them. */
  readonly cFloor: number;
  /** c with all attention sublayers skipped, and with all MLP sublayers skipped. */
  readonly cWithoutAttention: number;
  readonly cWithoutMlp: number;
  /** Times that each kind of pass came round. */
  readonly rounds: number;
}

/**
 * Times target passes of 1 to 17 tokens and the cheapest draft passes, interleaved, for about `seconds`.
 * @param onProgress told the share of the time that has passed.
 */
export async function measurePassSpeed(
  engine: Engine,
  seconds: number,
  onProgress: (share: number) => void,
): Promise<PassSpeed> {
  const { contextLength, layers, vocabSize } = engine.config;
  const longest = Math.min(passTokens.at(-1)!, Math.floor(contextLength / 2));
  const context = Math.max(1, Math.min(longestFill, Math.floor(fill * contextLength)));
  const cache = engine.createCache(context + longest);
  const tokens = Array.from({ length: context + longest }, (_, i) => (i * 7919 + 13) % vocabSize);
  await engine.prefill(cache, tokens.slice(0, context));
  const draftPass = ({ engine: on, gates }: DraftLease) =>
    on.forward(cache, tokens.slice(context, context + 1), context, gates, 'all');
  // As greedy decoding verifies.
  const verify = (count: number) =>
    engine.mostProbable(cache, tokens.slice(context, context + count), context);

  const all = Array.from({ length: layers }, (_, l) => l);
  const masks = [
    { attention: all, mlp: all },
    { attention: all, mlp: [] },
    { attention: [], mlp: all },
  ];
  const drafts = await allOrNone(
    masks.map((mask) => engine.draft(skipGraph(mask))),
    ({ release }) => release(),
  );
  const counts = passTokens.filter((count) => count <= longest);
  // Target passes of one length follow each other; draft passes come as they do in decoding, some and then a target pass, which
  // leaves them colder caches.
  const verifying = (done: number) =>
    done % draftsBetween === 0 ? verify(Math.min(draftsBetween + 1, longest)) : undefined;
  const length = { passes: fewestRepeats, milliseconds: stretchMilliseconds };
  const started = performance.now();
  const times = await timeInTurns(
    [
      ...counts.map((count) => repeated(() => verify(count), length)),
      ...drafts.map((draft) => repeated(() => draftPass(draft), length, verifying)),
    ],
    {
      // The second half counts.
      settling: (passes) => passes >> 1,
      goesOn(rounds) {
        const passed = (performance.now() - started) / 1000;
        onProgress(Math.min(1, passed / seconds));
        return rounds < fewestRounds || passed < seconds;
      },
    },
  ).finally(async () => {
    for (const draft of drafts) await draft.release();
  });
  // A median of target passes; a mean of drafts, of which the first after a target pass is slower.
  const targets = counts.map((_, i) => median(ofKind(times, i)) / 1000);
  const one = targets[0]!;
  const [floor, noAttention, noMlp] = drafts.map(
    (_, i) => trimmedMean(ofKind(times, counts.length + i)) / 1000,
  ) as [number, number, number];
  return {
    context,
    targetSeconds: one,
    verify: targets.map((time, i) => ({ tokens: counts[i]!, seconds: time, v: time / one })),
    cFloor: floor / one,
    cWithoutAttention: noAttention / one,
    cWithoutMlp: noMlp / one,
    rounds: times.length,
  };
}

/** A pass of more tokens that took less time by more than this is no measurement of the two. */
const FALL = 0.05;

/**
 * The first pass that was faster than one of fewer tokens, by more than timings vary; null where v rises, as it must. Where it
 * does not, something else ran, or the passes of one token were slowed down by what came before them.
 */
export function fallingPass(
  verify: readonly Pick<PassSpeed['verify'][number], 'tokens' | 'v'>[],
): { readonly tokens: number; readonly fewer: number } | null {
  for (const [i, { tokens, v }] of verify.entries()) {
    const fewer = verify.slice(0, i).find((shorter) => v < (1 - FALL) * shorter.v);
    if (fewer) return { tokens, fewer: fewer.tokens };
  }
  return null;
}

/** The mean without the fastest and the slowest tenth: it keeps what recurs and drops interruptions. */
function trimmedMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 10);
  return mean(sorted.slice(cut, sorted.length - cut));
}

/** The draft length with the best expected speedup for a constant acceptance and c, among those whose v was measured. */
export function bestExpectedSpeedup(
  speed: { readonly verify: readonly Pick<PassSpeed['verify'][number], 'tokens' | 'v'>[] },
  acceptance: number,
  c: number,
): { draftLength: number; speedup: number } {
  let best = { draftLength: 0, speedup: 1 };
  for (const { tokens, v } of speed.verify) {
    const draftLength = tokens - 1;
    if (draftLength === 0) continue;
    const emitted = acceptance === 1 ? tokens : (1 - acceptance ** tokens) / (1 - acceptance);
    const speedup = emitted / (draftLength * c + v);
    if (speedup > best.speedup) best = { draftLength, speedup };
  }
  return best;
}
