/** Shares of the layers that a span has, and where in the model it lies. */
const LENGTHS: readonly number[] = [1 / 2, 5 / 8, 3 / 4, 7 / 8, 1];
const PLACES = [0, 1 / 8, 3 / 8] as const;

/**
 * Masks that skip one span of whole layers, from short to all, from the first layer or later: where a bridge stands in for what is
 * skipped, one long run loses less than many short ones of the same weight, and with a memory the first layers can go. The last are
 * those that a draft of its own cannot do without; a cascade, which looks up what is easy, gains from the cheapest drafts too.
 * @param bits 2 L.
 * @param lengths shares of the layers.
 */
export function layerSpans(bits: number, lengths: readonly number[] = LENGTHS): Uint8Array[] {
  const layers = bits / 2;
  const spans = new Map<string, Uint8Array>();
  for (const share of lengths) {
    const length = Math.max(1, Math.round(share * layers));
    for (const place of PLACES) {
      const first = Math.round(place * (layers - length));
      const mask = new Uint8Array(bits).fill(1, 2 * first, 2 * (first + length));
      spans.set(mask.join(''), mask);
    }
  }
  return [...spans.values()];
}
