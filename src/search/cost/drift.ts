/**
 * A machine's speed drifts while costs are timed: other tenants, heat, power. What is wanted are ratios of costs, so every
 * generation is put to one speed, by the autoregressive passes that were timed right before and after it.
 *
 * | symbol | shape  | meaning                                                                                         |
 * |--------|--------|-------------------------------------------------------------------------------------------------|
 * | x      | scalar | context of a pass, in positions                                                                 |
 * | g      | scalar | seconds that an autoregressive pass takes more for every position of context                    |
 * | s_i    | scalar | how slow the machine was at pair i: its autoregressive pass at the mean context over all pairs' |
 *
 * Pairs have prompts of different lengths, and a slow pair must not pass for a long one: g is fitted on differences within
 * pairs alone (each pair has an offset of its own, the fixed effects of panel data).
 */
import { mean, median } from 'simple-statistics';
import { type TimedRound, targetRow } from './cost-model.js';
import { robustLeastSquares } from './least-squares.js';

/** A generation with a draft and, right before it, an autoregressive one. */
export interface TimedPair {
  readonly plain: readonly TimedRound[];
  readonly drafted: readonly TimedRound[];
}

/**
 * The rounds of each pair as if all had been timed at one speed: the autoregressive ones divided by s_i, the others, which lie
 * between two of those, by the mean of s_i and s_{i+1}.
 * @param pairs in the order in which they were timed.
 */
export function withoutDrift(pairs: readonly TimedPair[]): TimedRound[][] {
  const perPosition = secondsPerPosition(pairs);
  const middle = mean(pairs.flatMap(({ plain }) => plain.map(({ context }) => context)));
  const seconds = pairs.map(({ plain }) =>
    median(plain.map((round) => round.targetSeconds - perPosition * (round.context - middle))),
  );
  const usual = mean(seconds);
  return pairs.map(({ plain, drafted }, i) => {
    const own = seconds[i]! / usual;
    const next = (seconds[i + 1] ?? seconds[i]!) / usual;
    return [...plain.map(scaled(own)), ...drafted.map(scaled((own + next) / 2))];
  });
}

/** g, never below 0. */
function secondsPerPosition(pairs: readonly TimedPair[]): number {
  const longest = Math.max(...pairs.flatMap(({ drafted }) => drafted.map((r) => r.drafted)));
  const rounds = pairs.flatMap(({ plain, drafted }, pair) =>
    [...plain, ...drafted].map((round) => ({ ...round, pair })),
  );
  const rows = rounds.map(({ drafted, context, pair }) => {
    const row = targetRow(drafted + 1, context, longest);
    const offsets = new Float64Array(pairs.length - 1);
    if (pair > 0) offsets[pair - 1] = 1;
    return Float64Array.of(...row, ...offsets);
  });
  const [u, w] = robustLeastSquares(
    rows,
    rounds.map((round) => round.targetSeconds),
  );
  return Math.max(0, u! + w!) / 1000;
}

function scaled(slowness: number): (round: TimedRound) => TimedRound {
  return (round) => ({
    ...round,
    draftSeconds: round.draftSeconds / slowness,
    targetSeconds: round.targetSeconds / slowness,
  });
}
