/**
 * A seeded stream of uniform numbers in [0, 1): Chris Doty-Humphrey's sfc32 (passes PractRand), 32 random bits each.
 * The same seed gives the same stream on every machine.
 * @param seed any finite number; its whole 53-bit integer part counts.
 */
export function randomStream(seed: number): () => number {
  let a = 0x9e3779b9;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  // Seeds that differ in one bit need about a dozen steps to part.
  for (let i = 0; i < 16; i++) next();
  return next;
}
