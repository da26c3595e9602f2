/** Drafts by what they cost and how often they are right: another machine can pick its own among those that none beats in both. */

/** A draft as one of these points. */
export interface CostAcceptance {
  /** Seconds of a draft pass over seconds of a one-token target pass. */
  readonly c: number;
  /** Share of its tokens that are accepted. */
  readonly acceptance: number;
}

/** The point of a trial's figures; null where they tell of none. */
export function costAcceptance({
  c,
  draft_acceptance_rate: acceptance,
}: Readonly<Record<string, number>>): CostAcceptance | null {
  return c === undefined || acceptance === undefined ? null : { c, acceptance };
}

/**
 * Those that no other beats in both, the cheapest first; of equals the first.
 * @param pointOf null: left out.
 */
export function paretoFront<T>(
  items: readonly T[],
  pointOf: (item: T) => CostAcceptance | null,
): T[] {
  const points = items.flatMap((item) => {
    const point = pointOf(item);
    return point ? [{ item, ...point }] : [];
  });
  points.sort((a, b) => a.c - b.c || b.acceptance - a.acceptance);
  let best = -Infinity;
  return points.flatMap(({ item, acceptance }) => {
    if (acceptance <= best) return [];
    best = acceptance;
    return [item];
  });
}
