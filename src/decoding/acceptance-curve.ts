/**
 * How likely a drafted token is to be accepted, given the draft's confidence: calibrated by isotonic regression (Zadrozny
 * and Elkan 2002), because confidence and acceptance rise together but are not the same number.
 *
 * | symbol | shape | meaning                                                                              |
 * |--------|-------|--------------------------------------------------------------------------------------|
 * | q      | [n]   | confidences of drafted tokens, before each of which all were accepted                  |
 * | y      | [n]   | 1 where accepted, else 0                                                               |
 * | B      |       | groups of about equal size, of samples sorted by q; equal q are never parted            |
 * | p0     |       | (1 + sum y) / (2 + n), the acceptance of all (Laplace's rule)                          |
 * | m_b    | [B]   | (sum of y in b + w p0) / (n_b + w): the acceptance in a group, drawn to p0 by w samples |
 *
 * The curve is the isotonic fit of m with the weights n_b + w; each level becomes a knot at the mean confidence of its
 * samples, with straight lines between. p0 lies inside (0, 1), therefore so does every probability.
 */
/** A piecewise linear curve, constant beyond its ends. */
export interface AcceptanceCurve {
  /** Knots, [knots], ascending in [0, 1]. */
  readonly confidence: readonly number[];
  /** Probability at each, inside (0, 1), never falling. */
  readonly probability: readonly number[];
}

/** Most knots of a calibrated curve. */
export const MAX_KNOTS = 16;
/** Fewest samples of a group, while there are enough for two. */
const GROUP_SAMPLES = 8;
/** w: how many samples the acceptance of all stands for in every group. */
const PRIOR_SAMPLES = 2;

/**
 * Calibrates a curve.
 * @param confidence [n], any order, each in [0, 1].
 * @param accepted [n], 1 for an accepted token and 0 for a rejected one.
 * @returns at most {@link MAX_KNOTS} knots; without samples one, at 1/2.
 * @throws RangeError when the lengths differ.
 */
export function calibrateAcceptance(
  confidence: ArrayLike<number>,
  accepted: ArrayLike<number>,
): AcceptanceCurve {
  const n = confidence.length;
  if (accepted.length !== n) throw new RangeError(`${n} confidences, ${accepted.length} outcomes`);
  if (n === 0) return { confidence: [0.5], probability: [0.5] };
  const groups = groupSamples(confidence, accepted);
  const overall = (1 + groups.reduce((sum, group) => sum + group.accepted, 0)) / (2 + n);
  const weights = groups.map((group) => group.count + PRIOR_SAMPLES);
  const levels = isotonic(
    groups.map((group, b) => (group.accepted + PRIOR_SAMPLES * overall) / weights[b]!),
    weights,
  );
  const curve = { confidence: [] as number[], probability: [] as number[] };
  for (let from = 0, to = 1; from < groups.length; from = to++) {
    while (to < groups.length && levels[to] === levels[from]) to++;
    const level = groups.slice(from, to);
    const mean = total(level, 'sum') / total(level, 'count');
    // Rounding must not carry a mean out of its group, or two knots could meet.
    curve.confidence.push(Math.min(level.at(-1)!.last, Math.max(level[0]!.first, mean)));
    curve.probability.push(levels[from]!);
  }
  return curve;
}

/** A draft and what became of it, such as a round of decoding. */
export interface DraftOutcome {
  /** Of every token of the draft. */
  readonly confidences: ArrayLike<number>;
  /** How many of its tokens were accepted. */
  readonly accepted: number;
}

/** The two curves of the cost rule (cost-exit.ts). */
export interface AcceptanceCurves {
  /** A token is accepted, given its own confidence and that all before it were. */
  readonly acceptance: AcceptanceCurve;
  /** The token after it is accepted, given the confidence of an accepted token. */
  readonly nextAcceptance: AcceptanceCurve;
}

/** Calibrates both on drafts; of each, what follows the first rejected token has no outcome and is left out. */
export function calibrateCurves(drafts: Iterable<DraftOutcome>): AcceptanceCurves {
  const own = { confidence: [] as number[], accepted: [] as number[] };
  const next = { confidence: [] as number[], accepted: [] as number[] };
  for (const { confidences, accepted } of drafts) {
    for (let i = 0; i < confidences.length && i <= accepted; i++) {
      const outcome = i < accepted ? 1 : 0;
      own.confidence.push(confidences[i]!);
      own.accepted.push(outcome);
      if (i === 0) continue;
      next.confidence.push(confidences[i - 1]!);
      next.accepted.push(outcome);
    }
  }
  return {
    acceptance: calibrateAcceptance(own.confidence, own.accepted),
    nextAcceptance: calibrateAcceptance(next.confidence, next.accepted),
  };
}

/** The probability at a confidence. */
export function acceptanceAt({ confidence, probability }: AcceptanceCurve, q: number): number {
  const after = confidence.findIndex((knot) => knot >= q);
  if (after === 0) return probability[0]!;
  if (after === -1) return probability.at(-1)!;
  const from = confidence[after - 1]!;
  const share = (q - from) / (confidence[after]! - from);
  return probability[after - 1]! + share * (probability[after]! - probability[after - 1]!);
}

/**
 * The non-falling sequence nearest to `values` in weighted squares, by pooling adjacent violators (Ayer et al. 1955).
 * @param weights [n], above 0.
 * @returns [n].
 */
export function isotonic(values: readonly number[], weights: readonly number[]): number[] {
  const blocks: { value: number; weight: number; size: number }[] = [];
  for (const [i, own] of values.entries()) {
    let block = { value: own, weight: weights[i]!, size: 1 };
    for (let last = blocks.at(-1); last && last.value >= block.value; last = blocks.at(-1)) {
      blocks.pop();
      const weight = last.weight + block.weight;
      const value = last.value + (block.weight / weight) * (block.value - last.value);
      block = { value, weight, size: last.size + block.size };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ value, size }) => new Array<number>(size).fill(value));
}

interface Group {
  count: number;
  accepted: number;
  /** Of confidences. */
  sum: number;
  readonly first: number;
  last: number;
}

function groupSamples(confidence: ArrayLike<number>, accepted: ArrayLike<number>): Group[] {
  const n = confidence.length;
  const order = Array.from({ length: n }, (_, i) => i);
  order.sort((a, b) => confidence[a]! - confidence[b]!);
  const size = Math.max(GROUP_SAMPLES, Math.ceil(n / MAX_KNOTS));
  const groups: Group[] = [];
  for (const i of order) {
    const q = confidence[i]!;
    let group = groups.at(-1);
    if (!group || (group.count >= size && q > group.last)) {
      group = { count: 0, accepted: 0, sum: 0, first: q, last: q };
      groups.push(group);
    }
    group.count++;
    group.accepted += accepted[i]!;
    group.sum += q;
    group.last = q;
  }
  return groups;
}

function total(groups: readonly Group[], field: 'sum' | 'count'): number {
  return groups.reduce((sum, group) => sum + group[field], 0);
}
