import type { SkipMask } from '../../src/profile/mask.js';
import { uniforms } from './random.js';
import type { SkippedSublayers } from './reference.js';

/** How far rows of logits lie from what they should be, in standard deviations of the expected ones. */
export interface LogitDistance {
  /** The largest difference. */
  readonly max: number;
  /** Root of the mean square. */
  readonly rms: number;
}

/** Compares logits [rows * vocabulary] with the expected rows. */
export function logitDistance(
  actual: ArrayLike<number>,
  expected: readonly ArrayLike<number>[],
): LogitDistance {
  const wanted = expected.flatMap((row) => Array.from(row));
  if (actual.length !== wanted.length) {
    throw new Error(`${actual.length} logits instead of ${wanted.length}`);
  }
  const mean = wanted.reduce((sum, x) => sum + x, 0) / wanted.length;
  const variance = wanted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / wanted.length;
  let max = 0;
  let squares = 0;
  for (const [i, x] of wanted.entries()) {
    const difference = Math.abs(actual[i]! - x);
    // A NaN is as far away as can be; Math.max would carry it, but a comparison would not.
    max = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(max, difference);
    squares += difference * difference;
  }
  const deviation = Math.sqrt(variance);
  return { max: max / deviation, rms: Math.sqrt(squares / wanted.length) / deviation };
}

/** Seeded token ids. */
export function randomTokens(count: number, vocabulary: number, seed: number): number[] {
  const random = uniforms(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabulary));
}

/** A seeded mask that skips each sublayer with probability `share`. */
export function randomMask(layers: number, seed: number, share = 0.5): SkipMask {
  const random = uniforms(seed);
  const some = () => Array.from({ length: layers }, (_, l) => l).filter(() => random() < share);
  return { attention: some(), mlp: some() };
}

/** A mask in the form that the float64 reference takes. */
export function skippedSublayers(mask: SkipMask, layers: number): SkippedSublayers {
  const flags = (list: readonly number[]) =>
    Array.from({ length: layers }, (_, l) => list.includes(l));
  return { attention: flags(mask.attention), mlp: flags(mask.mlp) };
}
