/** `count` members of a list, at even distances from its first to its last; all where it has fewer. */
export function evenly<T>(list: readonly T[], count: number): T[] {
  if (count >= list.length) return [...list];
  const step = (list.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => list[Math.round(i * step)]!);
}
