import {
  type Candidate,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../../src/optimise/candidate.js';
import type { KernelParameters } from '../../src/optimise/gp/kernel.js';
import type { Observation } from '../../src/optimise/gp/model.js';
import type { Random } from '../../src/random.js';

/** The kernel written out from its formula, sharing nothing with src. */
export function kernelByHand(a: Candidate, b: Candidate, p: KernelParameters): number {
  const exits = ['fixed', 'threshold', 'adaptive'];
  let heat = p.heatVariance;
  let linear = 0;
  const n = a.mask.length;
  for (let i = 0; i < n; i++) {
    const beta = Math.atanh(Math.exp(-p.decay[i]));
    const rho = (1 - Math.exp(-2 * beta)) / (1 + Math.exp(-2 * beta));
    if (a.mask[i] !== b.mask[i]) heat *= rho;
    linear += ((2 * a.mask[i] - 1) * (2 * b.mask[i] - 1) * p.linearVariance) / n;
  }
  const length = (a.draft.draftLength - b.draft.draftLength) / 10 / p.draftScales[0];
  const threshold = (a.draft.threshold - b.draft.threshold) / 0.95 / p.draftScales[1];
  const other = exits.indexOf(a.draft.exit) !== exits.indexOf(b.draft.exit);
  return (
    (heat + p.biasVariance + linear) *
    Math.exp(-0.5 * (length ** 2 + threshold ** 2)) *
    (other ? Math.exp(-p.exitDecay) : 1)
  );
}

/** Solves A x = b by Gaussian elimination with partial pivoting. */
export function solveDense(a: number[][], b: number[]): number[] {
  const n = b.length;
  const m = a.map((row, i) => [...row, b[i]]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r][c]) > Math.abs(m[pivot][c])) pivot = r;
    [m[c], m[pivot]] = [m[pivot], m[c]];
    for (let r = c + 1; r < n; r++) {
      const f = m[r][c] / m[c][c];
      for (let k = c; k <= n; k++) m[r][k] -= f * m[c][k];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let r = n - 1; r >= 0; r--) {
    let sum = m[r][n];
    for (let k = r + 1; k < n; k++) sum -= m[r][k] * x[k];
    x[r] = sum / m[r][r];
  }
  return x;
}

export function randomCandidate(space: SearchSpace, random: Random): Candidate {
  return {
    mask: randomMask(space.bits, random.uniform(), random),
    draft: randomDraft(space, random),
  };
}

/** Trials with a smooth score and unequal noise. */
export function randomObservations(
  space: SearchSpace,
  count: number,
  random: Random,
): Observation[] {
  return Array.from({ length: count }, () => {
    const candidate = randomCandidate(space, random);
    const skipped = candidate.mask.reduce((sum, bit) => sum + bit, 0) / space.bits;
    const score = 1 + skipped - skipped ** 2 + 0.2 * candidate.mask[0] + 0.05 * random.normal();
    return { candidate, score, noiseVariance: 0.0025 * random.uniform() };
  });
}

export function randomKernel(bits: number, random: Random): KernelParameters {
  const positive = () => Math.exp(random.normal());
  return {
    heatVariance: positive(),
    biasVariance: positive(),
    linearVariance: positive(),
    decay: Float64Array.from({ length: bits }, () => positive() / bits),
    draftScales: [positive(), positive()],
    exitDecay: positive(),
  };
}
