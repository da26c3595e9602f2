import { describe, expect, it } from 'vitest';
import { DEFAULT_DRAFT_LENGTH, DEFAULT_THRESHOLD } from '../../src/decoding/draft-exit.js';
import { decoderExit, overrideRule } from '../../src/decoding/draft-rule.js';
import { InputError } from '../../src/errors.js';

const costs = {
  draft: 0.3,
  verify: [1, 1.1, 1.25],
  timePerToken: 0.8,
  acceptance: { confidence: [0.2, 0.9], probability: [0.4, 0.95] },
  nextAcceptance: { confidence: [0.5], probability: [0.7] },
};

describe('the decoder’s form of a rule', () => {
  it('has what each exit looks at, and nothing else', () => {
    expect(decoderExit({ exit: 'fixed', threshold: 0.4 }, costs)).toEqual({ exit: 'fixed' });
    for (const exit of ['threshold', 'adaptive'] as const)
      expect(decoderExit({ exit, threshold: 0.4 }, costs)).toEqual({ exit, threshold: 0.4 });
    expect(decoderExit({ exit: 'cost', threshold: 0 }, costs)).toEqual({ exit: 'cost', costs });
  });

  it('refuses to weigh costs that nobody knows', () => {
    expect(() => decoderExit({ exit: 'cost', threshold: 0 })).toThrow(InputError);
  });
});

describe('a rule with other parts', () => {
  const stored = { exit: 'threshold', draftLength: 5, threshold: 0.6 } as const;

  it('is the stored one where nothing is asked for, and the paper’s where nothing is stored', () => {
    expect(overrideRule(stored, {})).toEqual(stored);
    expect(overrideRule(null, {})).toEqual({
      exit: 'adaptive',
      draftLength: DEFAULT_DRAFT_LENGTH,
      threshold: DEFAULT_THRESHOLD,
    });
  });

  it('takes each part by itself', () => {
    expect(overrideRule(stored, { draftLength: 2 })).toEqual({ ...stored, draftLength: 2 });
    expect(overrideRule(stored, { exit: 'adaptive' })).toEqual({ ...stored, exit: 'adaptive' });
    expect(overrideRule(stored, { threshold: 0.1 })).toEqual({ ...stored, threshold: 0.1 });
  });

  it('takes no threshold over from a rule that has none, and keeps none for one that looks at none', () => {
    const fixed = { exit: 'fixed', draftLength: 5, threshold: 0 } as const;
    expect(overrideRule(fixed, { exit: 'adaptive' }).threshold).toBe(DEFAULT_THRESHOLD);
    expect(overrideRule(stored, { exit: 'fixed' }).threshold).toBe(0);
    expect(overrideRule(stored, { exit: 'cost', threshold: 0.3 }).threshold).toBe(0);
  });
});
