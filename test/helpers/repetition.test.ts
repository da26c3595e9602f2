import { expect, it } from 'vitest';
import { repeatedShare } from './repetition.js';

it('counts n-grams that occurred before', () => {
  expect(repeatedShare([1, 2, 3, 4, 5, 6])).toBe(0);
  expect(repeatedShare([1, 2, 3])).toBe(0);
  expect(repeatedShare(Array<number>(103).fill(7))).toBeCloseTo(0.99, 10);
  // 1 2 1 2 1 2: the 2-grams 12 21 12 21 12.
  expect(repeatedShare([1, 2, 1, 2, 1, 2], 2)).toBeCloseTo(3 / 5, 10);
});
