import { describe, expect, it } from 'vitest';
import type { Survivors } from '../../../src/decoding/sampling/filter.js';
import { draftToken, targetToken, verifyToken } from '../../../src/decoding/sampling/maximal.js';
import { chiSquare, chiSquareLimit } from '../../helpers/chi-square.js';

/** Sparse survivors of a dense distribution, in a workspace with stale entries behind the count. */
function survivorsOf(dense: number[]): Survivors {
  const ids = dense.flatMap((probability, id) => (probability > 0 ? [id] : []));
  const probabilities = ids.map((id) => dense[id]);
  const top = probabilities.indexOf(Math.max(...probabilities));
  return {
    count: ids.length,
    top,
    ids: Int32Array.from([...ids, 0, 1, 2, 3]),
    scores: Float64Array.from([...probabilities, 1, 1, 1, 1], (p) =>
      Math.log(p / probabilities[top]),
    ),
    probabilities: Float64Array.from([...probabilities, 1, 1, 1, 1]),
  };
}

const DRAWS = 40_000;

const cases: [string, number[], number[]][] = [
  ['near', [0.5, 0.3, 0.2, 0, 0], [0.4, 0.4, 0.2, 0, 0]],
  ['equal', [0.1, 0.2, 0.3, 0.4, 0], [0.1, 0.2, 0.3, 0.4, 0]],
  ['disjoint', [0.7, 0, 0.3, 0, 0], [0, 0.5, 0, 0.25, 0.25]],
  ['overlapping', [0, 0.6, 0.1, 0.3, 0], [0.5, 0.1, 0, 0.1, 0.3]],
  ['draft wider', [0, 0, 1, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]],
  ['target wider', [0.2, 0.2, 0.2, 0.2, 0.2], [0, 0, 0, 1, 0]],
];

describe('maximal coupling', () => {
  it.each(cases)('emits p whatever q is, and keeps 1 - TV of the draft: %s', (_, p, q) => {
    const target = survivorsOf(p);
    const draft = survivorsOf(q);
    const emitted = new Float64Array(5);
    const proposed = new Float64Array(5);
    let accepted = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const d = draftToken(draft, 42, draw);
      const token = verifyToken(target, draft, d, 42, draw);
      proposed[d]++;
      emitted[token]++;
      if (token === d) accepted++;
    }
    const support = (dense: number[]): number => Math.max(1, dense.filter((x) => x > 0).length - 1);
    expect(chiSquare(proposed, q)).toBeLessThan(chiSquareLimit(support(q)));
    expect(chiSquare(emitted, p)).toBeLessThan(chiSquareLimit(support(p)));
    const rate = 1 - p.reduce((sum, x, i) => sum + Math.abs(x - q[i]) / 2, 0);
    const deviation = Math.sqrt((rate * (1 - rate)) / DRAWS);
    expect(Math.abs(accepted / DRAWS - rate)).toBeLessThanOrEqual(4 * deviation + 1e-12);
  });

  it('emits p given each draft it was offered, summed exactly over q', () => {
    const [, p, q] = cases[3];
    const target = survivorsOf(p);
    const draft = survivorsOf(q);
    const emitted = new Float64Array(5);
    for (let d = 0; d < 5; d++) {
      for (let draw = 0; draw < DRAWS; draw++) {
        emitted[verifyToken(target, draft, d, 7, draw)] += q[d] / DRAWS;
      }
    }
    for (let i = 0; i < 5; i++) expect(emitted[i]).toBeCloseTo(p[i], 1.7);
  });

  it('repeats for a seed and draws the target alone from p', () => {
    const p = [0.1, 0, 0.6, 0.3, 0];
    const target = survivorsOf(p);
    const counts = new Float64Array(5);
    for (let draw = 0; draw < DRAWS; draw++) {
      const token = targetToken(target, 1, draw);
      counts[token]++;
      if (token !== targetToken(target, 1, draw)) expect.fail(`draw ${draw} does not repeat`);
    }
    expect(chiSquare(counts, p)).toBeLessThan(chiSquareLimit(2));
  });

  it('keeps the draft when rounding leaves nothing of the residual', () => {
    const q = survivorsOf([0.5, 0.5]);
    const p = survivorsOf([0.5, 0.5]);
    p.probabilities[0] = 0;
    expect(verifyToken(p, q, 0, 1, 1)).toBe(0);
  });
});
