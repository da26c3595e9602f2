/** Shares of the layers that a span has, and where in the model it lies. */
const LENGTHS = [1 / 4, 3 / 8, 1 / 2, 5 / 8] as const;
const PLACES = [0, 1 / 8, 3 / 8] as const;

/**
 * Masks that skip one span of whole layers, short and long, from the first layer or later: where a bridge stands in for what is
 * skipped, one long run loses less than many short ones of the same weight, and with a memory the first layers can go; the last are
 * those that cannot.
 * @param bits 2 L.
 */
export function layerSpans(bits: number): Uint8Array[] {
  const layers = bits / 2;
  return LENGTHS.flatMap((share) => {
    const length = Math.max(1, Math.round(share * layers));
    return PLACES.map((place) => {
      const first = Math.round(place * (layers - length));
      return new Uint8Array(bits).fill(1, 2 * first, 2 * (first + length));
    });
  });
}
