import { describe, expect, it } from 'vitest';
import { createDraftExit, type DraftExit } from '../../src/decoding/draft-exit.js';
import { InputError } from '../../src/errors.js';

/** How many of these confidences a rule lets into one draft. */
function drafted(exit: ReturnType<typeof createDraftExit>, confidences: number[]): number {
  for (let n = 1; n <= confidences.length; n++) {
    if (exit.shouldStop(n, confidences[n - 1])) return n;
  }
  return confidences.length;
}

describe('draft exit', () => {
  it('fixed drafts K tokens, however unsure', () => {
    const exit = createDraftExit({ exit: 'fixed' }, 4);
    expect(drafted(exit, [0, 0.1, 0, 0, 0.9, 0.9])).toBe(4);
    exit.afterVerify(4, 0);
    expect(exit.threshold).toBe(0);
  });

  it('threshold stops after the first token below it and keeps that token', () => {
    const exit = createDraftExit({ exit: 'threshold', threshold: 0.8 }, 8);
    expect(drafted(exit, [0.9, 0.8, 0.79, 0.9])).toBe(3);
    expect(drafted(exit, [0.1, 0.9])).toBe(1);
    expect(drafted(exit, new Array(20).fill(1))).toBe(8);
    exit.afterVerify(3, 0);
    expect(exit.threshold).toBe(0.8);
  });

  it("adaptive follows the paper's updates", () => {
    const exit = createDraftExit({ exit: 'adaptive', threshold: 0.8 }, 8);
    const verified = (n: number, accepted: number): number => {
      exit.afterVerify(n, accepted);
      return exit.threshold;
    };
    // m = 0.5: raised by a tenth of 0.01.
    expect(verified(3, 3)).toBeCloseTo(0.801, 12);
    // m = 0.75, and a full draft: below the target it rises all the same.
    expect(verified(8, 8)).toBeCloseTo(0.802, 12);
    // m = 0.875
    expect(verified(2, 2)).toBeCloseTo(0.803, 12);
    // m = 0.9375: at a full draft it stays,
    expect(verified(8, 8)).toBeCloseTo(0.803, 12);
    // m = 0.96875: at a shorter one it falls.
    expect(verified(5, 5)).toBeCloseTo(0.802, 12);
    // m = 0.96875 / 2 + 1 / 8 = 0.609375
    expect(verified(4, 1)).toBeCloseTo(0.803, 12);
    // No draft, no lesson: m stays.
    expect(verified(0, 0)).toBeCloseTo(0.803, 12);
    expect(verified(4, 4)).toBeCloseTo(0.804, 12); // m = 0.8046875
    expect(verified(4, 4)).toBeCloseTo(0.803, 12); // m = 0.90234375
    expect(drafted(exit, [0.81, 0.8029, 0.9])).toBe(2);
  });

  it('starts every generation anew', () => {
    const run = (): number[] => {
      const exit = createDraftExit({ exit: 'adaptive', threshold: 0.5 }, 4);
      return [4, 3, 4, 2].map((accepted) => {
        exit.afterVerify(4, accepted);
        return exit.threshold;
      });
    };
    expect(run()).toEqual(run());
  });

  it.each<[DraftExit, number, string]>([
    [{ exit: 'fixed' }, 0, 'draft_length'],
    [{ exit: 'fixed' }, 2.5, 'draft_length'],
    [{ exit: 'threshold', threshold: 1.1 }, 4, 'threshold'],
    [{ exit: 'adaptive', threshold: Number.NaN }, 4, 'threshold'],
  ])('refuses %o with K %d', (rule, draftLength, field) => {
    expect(() => createDraftExit(rule, draftLength)).toThrow(InputError);
    expect(() => createDraftExit(rule, draftLength)).toThrow(field);
  });
});
