/** Pearson's statistic of observed counts against probabilities; cells with no probability must be empty. */
export function chiSquare(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  let draws = 0;
  for (let i = 0; i < counts.length; i++) draws += counts[i];
  let statistic = 0;
  for (let i = 0; i < counts.length; i++) {
    const expected = draws * probabilities[i];
    if (expected === 0) {
      if (counts[i] > 0) return Infinity;
    } else {
      statistic += (counts[i] - expected) ** 2 / expected;
    }
  }
  return statistic;
}

/** Upper 1e-4 quantile of chi-square (Wilson and Hilferty's approximation): the tests' seeds are fixed, so they repeat. */
export function chiSquareLimit(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + 3.719 * Math.sqrt(spread)) ** 3;
}
