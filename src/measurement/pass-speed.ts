/**
 * How fast passes of a model are here, and what that allows speculative decoding to gain.
 *
 * symbol | meaning
 * -------|------------------------------------------------------------------------------------------
 * T(M)   | seconds of a target pass over M tokens
 * v(M)   | T(M) with gates / T(1) without, the price of verifying M - 1 drafted tokens and the last one
 * c      | seconds of a draft pass / T(1); its floor is a pass with every sublayer skipped
 * K      | draft length; a: chance that a drafted token is accepted, given all before it were
 *
 * Expected speedup of drafts of K tokens: E / (K c + v(K + 1)) with E = (1 - a^(K+1)) / (1 - a) tokens per round
 * (Leviathan, Kalman and Matias 2023, theorem 3.8, who take v = 1).
 */
import { median } from 'simple-statistics';
import type { Engine, Gates } from '../engine/engine.js';

/** Tokens of the target passes that are timed. */
const passTokens = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 17] as const;
/** Share of the context that is filled while timing; long contexts only to this many positions. */
const fill = 0.5;
const longestFill = 512;
const fewestRounds = 3;
/** How long one kind of pass is run before the next. */
const stretchMilliseconds = 50;
const fewestRepeats = 2;

/** Medians of timed passes. */
export interface PassSpeed {
  /** Positions before each timed pass. */
  readonly context: number;
  /** T(1) in seconds: a pass of one token without gates. */
  readonly targetSeconds: number;
  /** A pass of one token with gates over one without. */
  readonly gateCost: number;
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
 * @param engine with gates, as speculative decoding runs it.
 * @param plain without, as autoregressive decoding runs it: its pass of one token is the unit.
 * @param onProgress told the share of the time that has passed.
 */
export async function measurePassSpeed(
  engine: Engine,
  plain: Engine,
  seconds: number,
  onProgress: (share: number) => void,
): Promise<PassSpeed> {
  const { contextLength, layers, vocabSize } = engine.config;
  const longest = Math.min(passTokens.at(-1)!, Math.floor(contextLength / 2));
  const context = Math.max(1, Math.min(longestFill, Math.floor(fill * contextLength)));
  const cache = engine.createCache(context + longest);
  const tokens = Array.from({ length: context + longest }, (_, i) => (i * 7919 + 13) % vocabSize);
  await engine.prefill(cache, tokens.slice(0, context));

  const all = Array.from({ length: layers }, (_, l) => l);
  const cases: { on: Engine; count: number; gates: Gates; times: number[] }[] = [
    { on: plain, count: 1, gates: plain.target, times: [] },
    ...passTokens
      .filter((count) => count <= longest)
      .map((count) => ({ on: engine, count, gates: engine.target, times: [] })),
    ...[
      { attention: all, mlp: all },
      { attention: all, mlp: [] },
      { attention: [], mlp: all },
    ].map((mask) => ({ on: engine, count: 1, gates: engine.gates(mask), times: [] })),
  ];
  const started = performance.now();
  let rounds = 0;
  for (;;) {
    for (const { on, count, gates, times } of cases) {
      const input = tokens.slice(context, context + count);
      // Passes of one kind follow each other in decoding. The first ones after another kind are slower, and while the other
      // session's threads still spin: only the second half of each stretch counts.
      const stretch: number[] = [];
      const begun = performance.now();
      while (stretch.length < fewestRepeats || performance.now() - begun < stretchMilliseconds) {
        const start = performance.now();
        await on.forward(cache, input, context, gates, 'all');
        stretch.push(performance.now() - start);
      }
      times.push(...stretch.slice(stretch.length >> 1));
    }
    rounds++;
    const passed = (performance.now() - started) / 1000;
    onProgress(Math.min(1, passed / seconds));
    if (rounds >= fewestRounds && passed >= seconds) break;
  }
  const medians = cases.map(({ times }) => median(times) / 1000);
  const targets = medians.slice(1, -3);
  const [floor, noAttention, noMlp] = medians.slice(-3) as [number, number, number];
  const one = medians[0]!;
  return {
    context,
    targetSeconds: one,
    gateCost: targets[0]! / one,
    verify: targets.map((time, i) => ({
      tokens: cases[i + 1]!.count,
      seconds: time,
      v: time / one,
    })),
    cFloor: floor / one,
    cWithoutAttention: noAttention / one,
    cWithoutMlp: noMlp / one,
    rounds,
  };
}

/** The draft length with the best expected speedup for a constant acceptance and c, among those whose v was measured. */
export function bestExpectedSpeedup(
  speed: Pick<PassSpeed, 'verify'>,
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
