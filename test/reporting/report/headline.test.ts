import { expect, test } from 'vitest';
import { verdictOf } from '../../../src/reporting/report/headline.js';

test('an interval beside 1 is a verdict, but not over one prompt', () => {
  expect(verdictOf([1.1, 1.3], 2)).toBe('faster');
  expect(verdictOf([0.7, 0.9], 2)).toBe('slower');
  expect(verdictOf([0.9, 1.1], 2)).toBe('not distinguishable from 1.0x');
  expect(verdictOf([1.3, 1.3], 1)).toBe(null);
});
