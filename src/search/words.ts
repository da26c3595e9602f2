/** Words by how often they come in some texts, then by id: low ids are those that a tokeniser's training met most. */
export function rankWords(
  vocabularySize: number,
  texts: readonly (readonly number[])[],
): Int32Array {
  const counts = new Float64Array(vocabularySize);
  for (const text of texts) for (const token of text) counts[token]!++;
  return Int32Array.from({ length: vocabularySize }, (_, id) => id).sort(
    (a, b) => counts[b]! - counts[a]! || a - b,
  );
}

/** Sizes that a draft's head may have, in words. */
const HEAD_SIZES = [1024, 2048, 4096, 8192, 16384, 32768] as const;

/** The heads that a search weighs, from small to large, the whole one (null) last. */
export function headChoices(ranking: Int32Array): readonly (Int32Array | null)[] {
  const sizes = HEAD_SIZES.filter(
    (size) => size <= ranking.length / 2 && size >= ranking.length / 16,
  );
  return [...sizes.map((size) => ranking.slice(0, size).sort()), null];
}
