/**
 * How much a continuation repeats itself: the share of its n-grams that occurred in it before, 0 for a text that never does,
 * near 1 for a loop (1 - distinct-n of Li et al. 2016, arXiv 1510.03055).
 */
export function repeatedShare(tokens: readonly number[], n = 4): number {
  const count = tokens.length - n + 1;
  if (count < 1) return 0;
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) seen.add(tokens.slice(i, i + n).join());
  return 1 - seen.size / count;
}
