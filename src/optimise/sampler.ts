import type { Candidate } from './candidate.js';

export const samplerNames = ['bo', 'random', 'relaxed-gp', 'dp', 'swift', 'greedy'] as const;
export type SamplerName = (typeof samplerNames)[number];

/**
 * Proposes candidates and learns from their scores. What `ask` returns is a function of the seed and of what was told,
 * in order, alone: a study that resumes by telling its finished trials again goes on as if it had never stopped.
 */
export interface Sampler {
  /** The next candidate to try; never the empty mask. */
  ask(): Candidate;
  /** Says that a candidate is being tried that `ask` did not propose, as after a resume; {@link Sampler.tell} ends that. */
  expect(candidate: Candidate): void;
  /**
   * Reports a trial, whether or not `ask` proposed it.
   * @param score speedup (higher is better), finite.
   * @param noiseVariance measured variance of `score`, in the same units squared; default 0 (unknown).
   * @throws RangeError when a number is not finite, the variance is negative, or the mask has the wrong length.
   */
  tell(candidate: Candidate, score: number, noiseVariance?: number): void;
}

/** The checks that every sampler's `tell` begins with. */
export function checkTold(
  bits: number,
  candidate: Candidate,
  score: number,
  noiseVariance: number,
): void {
  if (candidate.mask.length !== bits)
    throw new RangeError(`A told mask has ${candidate.mask.length} bits, not ${bits}.`);
  if (!Number.isFinite(score))
    throw new RangeError(`A told score is ${score}, not a finite number.`);
  if (!(noiseVariance >= 0 && noiseVariance < Infinity))
    throw new RangeError(`A told noise variance is ${noiseVariance}, not finite and at least 0.`);
}
