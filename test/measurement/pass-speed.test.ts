import { expect, test } from 'vitest';
import { bestExpectedSpeedup, fallingPass } from '../../src/measurement/pass-speed.js';

const rows = (...v: number[]) => v.map((one, i) => ({ tokens: i + 1, v: one }));

test('v rises, give or take what timings vary by', () => {
  expect(fallingPass(rows(1, 1.1, 1.08, 1.3))).toBeNull();
  expect(fallingPass(rows(1, 1, 1))).toBeNull();
});

test('a pass that was faster than a shorter one is named with it', () => {
  // What two sessions whose threads get in each other's way gave for a pass of one token and of two.
  expect(fallingPass(rows(1, 0.66, 0.7, 0.8))).toEqual({ tokens: 2, fewer: 1 });
  expect(fallingPass(rows(1, 1.4, 1.5, 1.2))).toEqual({ tokens: 4, fewer: 2 });
});

test('the best draft length weighs what it accepts against what it costs', () => {
  // All accepted, drafts for nothing: the most tokens a pass can take.
  const best = bestExpectedSpeedup({ verify: rows(1, 1.1, 1.2, 1.3) }, 1, 0);
  expect(best.draftLength).toBe(3);
  expect(best.speedup).toBeCloseTo(4 / 1.3, 12);
  // Nothing accepted: no draft.
  expect(bestExpectedSpeedup({ verify: rows(1, 1.1, 1.2) }, 0, 0.1).draftLength).toBe(0);
});
