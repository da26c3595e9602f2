/**
 * What a pass costs, by mask, tokens and context, fitted on timed rounds of real decoding.
 *
 * | symbol | meaning                                                                                           |
 * |--------|---------------------------------------------------------------------------------------------------|
 * | a, m   | shares of the attention and MLP sublayers that a draft keeps, 0 to 1                              |
 * | h, b   | share of the vocabulary that its head has; products of bridges over a layer count                 |
 * | x      | context: positions before the round, in thousands                                                 |
 * | n      | drafted tokens of a round, one draft pass each; M = n + 1 tokens of its target pass               |
 * | D      | seconds of a round's draft passes: n (d0 + d1 a + d2 m + d3 a x + d4 h + d5 b) + f0 + f1 (a + m)  |
 * | T(M)   | seconds of a round's target pass: t_M + x (u + w M); T(1), where nothing was drafted before it, is  |
 * |        | an autoregressive pass                                                                            |
 *
 * The first draft pass of a round finds its weights driven out of the cache by the target pass (f). The target pass finds colder caches
 * after drafts, of whatever density, which is in t_M from M = 2 on. Times include everything that decoding does around a pass (choosing
 * tokens, feeding the cache).
 *
 * The fit is robust, and then put to the mean: interruptions, such as the collection of what passes returned, are part of what decoding
 * takes.
 */
import { z } from 'zod';
import { meanRatio, robustLeastSquares } from './least-squares.js';

/** A draft as the cost model sees it. */
export interface DraftShape {
  readonly attention: number;
  readonly mlp: number;
  readonly head: number;
  /** Two for a bridge with memory. */
  readonly bridges: number;
}

/** A timed round; of an autoregressive one `drafted` is 0 and `shape` null. */
export interface TimedRound {
  readonly shape: DraftShape | null;
  readonly context: number;
  readonly drafted: number;
  readonly draftSeconds: number;
  readonly targetSeconds: number;
}

const Coefficients = z.array(z.number()).max(100);

/** The coefficients, as a journal keeps them. */
export const CostModel = z.strictObject({
  /** u, w, then t_1, t_2, ... */
  target: Coefficients.min(4),
  /** d0 to d5, f0, f1. */
  draft: Coefficients.length(8),
  /** By how much means lie above the fit: of autoregressive passes, of target passes behind drafts, of draft passes. */
  means: z.strictObject({
    alone: z.number().positive(),
    verifying: z.number().positive(),
    drafting: z.number().positive(),
  }),
});
export type CostModel = z.infer<typeof CostModel>;

const thousand = 1000;
/** Share of an autoregressive pass that any draft pass takes: beyond the sparsest drafts that were timed, noise may fit less than 0. */
const leastPass = 0.005;

/** Fits the model. Every M up to the longest that occurs must occur. */
export function fitCostModel(rounds: readonly TimedRound[]): CostModel {
  const drafted = rounds.filter((round): round is DraftedRound => round.shape !== null);
  const longest = Math.max(...drafted.map((round) => round.drafted));
  const plain = rounds.filter((round) => round.shape === null);
  const targetRowOf = (round: TimedRound) => targetRow(round.drafted + 1, round.context, longest);
  const target = fitted(rounds.map(targetRowOf), rounds.map(targetTime));
  const draft = fitted(drafted.map(draftRow), drafted.map(draftTime));
  const overFit = (some: readonly TimedRound[]) =>
    meanRatio(
      some.map(targetTime),
      some.map((round) => inner(targetRowOf(round), target)),
    );
  const means = {
    alone: overFit(plain),
    verifying: overFit(drafted),
    drafting: meanRatio(
      drafted.map(draftTime),
      drafted.map((round) => inner(draftRow(round), draft)),
    ),
  };
  return { target, draft, means };
}

/** What a draft of this shape costs at a context; seconds. */
export interface DraftPrices {
  /** Every draft pass. */
  readonly pass: number;
  /** Once in a round, beside. */
  readonly round: number;
  /** T(M) by M; T(0) is 0. */
  readonly target: Float64Array;
  /** An autoregressive pass. */
  readonly autoregressive: number;
}

/** Seconds of passes of a draft at a context of `context` positions. */
export function priceDraft(model: CostModel, shape: DraftShape, context: number): DraftPrices {
  const { alone, verifying, drafting } = model.means;
  const at = (n: number) => drafting * inner(draftRow({ shape, context, drafted: n }), model.draft);
  const longest = model.target.length - 3;
  const target = new Float64Array(longest + 2);
  for (let tokens = 1; tokens <= longest + 1; tokens++)
    target[tokens] =
      (tokens === 1 ? alone : verifying) * inner(targetRow(tokens, context, longest), model.target);
  const autoregressive = target[1]!;
  const pass = Math.max(at(2) - at(1), leastPass * autoregressive);
  return { pass, round: 2 * at(1) - at(2), target, autoregressive };
}

/** What a round of so many draft passes and drafted tokens takes. */
export function roundSeconds(
  { pass, round, target }: DraftPrices,
  passes: number,
  drafted: number,
): number {
  return (passes > 0 ? passes * pass + round : 0) + target[drafted + 1]!;
}

/** Relative errors of a model on rounds: |predicted - measured| / measured of draft passes and of target passes. */
export function predictionErrors(
  model: CostModel,
  rounds: readonly TimedRound[],
): { readonly draft: number[]; readonly target: number[] } {
  const errors = { draft: [] as number[], target: [] as number[] };
  for (const { shape, context, drafted, draftSeconds, targetSeconds } of rounds) {
    if (!shape) continue;
    const { pass, round, target } = priceDraft(model, shape, context);
    errors.draft.push(Math.abs((drafted * pass + round) / draftSeconds - 1));
    errors.target.push(Math.abs(target[drafted + 1]! / targetSeconds - 1));
  }
  return errors;
}

const targetTime = (round: TimedRound) => round.targetSeconds;
const draftTime = (round: TimedRound) => round.draftSeconds;

type DraftedRound = TimedRound & { readonly shape: DraftShape };

function draftRow({
  shape: { attention, mlp, head, bridges },
  context,
  drafted: n,
}: Pick<DraftedRound, 'shape' | 'context' | 'drafted'>): Float64Array {
  const x = context / thousand;
  const perPass = [1, attention, mlp, attention * x, head, bridges];
  return Float64Array.of(...perPass.map((feature) => n * feature), 1, attention + mlp);
}

/** The features of T(M), in the order of {@link CostModel}'s `target`. @param longest the longest draft. */
export function targetRow(tokens: number, context: number, longest: number): Float64Array {
  const x = context / thousand;
  const row = new Float64Array(3 + longest);
  row[0] = x;
  row[1] = x * tokens;
  row[1 + tokens] = 1;
  return row;
}

function fitted(x: readonly Float64Array[], y: readonly number[]): number[] {
  return Array.from(robustLeastSquares(x, y));
}

function inner(row: ArrayLike<number>, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, b, i) => sum + b * row[i]!, 0);
}
