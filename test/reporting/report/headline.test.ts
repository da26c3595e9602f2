import { expect, test } from 'vitest';
import { headline, verdictOf } from '../../../src/reporting/report/headline.js';

test('an interval beside 1 is a verdict, but not over four prompts', () => {
  expect(verdictOf([1.1, 1.3], 5)).toBe('faster');
  expect(verdictOf([0.7, 0.9], 5)).toBe('slower');
  expect(verdictOf([0.9, 1.1], 5)).toBe('not distinguishable from 1.0x');
  expect(verdictOf([1.1, 1.3], 4)).toBe('too few');
});

test('of too few prompts there is no interval in the sentence', () => {
  const of = { subject: 'Skipping', speedup: 1.2, prompts: '4 held-out prompts' };
  const { sentence, tone } = headline({ ...of, interval: [1.1, 1.3], verdict: 'too few' });
  expect(sentence).toBe(
    'Skipping ran at 1.20× the speed of autoregressive decoding, on 4 held-out prompts: too few for an interval or a verdict.',
  );
  expect(tone).toBe('even');
  expect(headline({ ...of, interval: null, verdict: 'too few' }).sentence).toBe(sentence);
});
