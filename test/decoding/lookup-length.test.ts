import { describe, expect, it } from 'vitest';
import { createLookupLength } from '../../src/decoding/lookup-length.js';

const LIMIT = 10;
/** v_n = 1 + step n. */
const costs = (step: number) => Array.from({ length: LIMIT + 1 }, (_, n) => 1 + step * n);

describe('the length of a lookup', () => {
  it('proposes all where a token more costs nothing, and none where it costs a whole pass', () => {
    for (const matched of [1, 2, 3, 8]) {
      expect(createLookupLength(costs(0)).choose(matched, false, LIMIT)).toBe(LIMIT);
      expect(createLookupLength(costs(1)).choose(matched, false, LIMIT)).toBe(0);
    }
  });

  it('ends before the token whose chance no longer pays for its share of the pass', () => {
    // 0.53, 0.53 x 0.7, x 0.75, x 0.8, ... after a match of two tokens, by the prior.
    expect(createLookupLength(costs(0.25)).choose(2, false, LIMIT)).toBe(3);
    expect(createLookupLength(costs(0.25)).choose(2, false, 2)).toBe(2);
    expect(createLookupLength(costs(0.5)).choose(2, false, LIMIT)).toBe(1);
    expect(createLookupLength(costs(0.25)).choose(1, false, LIMIT)).toBe(0);
  });

  it('looks past a step of the kernel that the next token alone does not pay', () => {
    // The second token costs as much as a kernel's step, the third to sixth nothing.
    const steps = [1, 1.1, 1.9, 1.9, 1.9, 1.9, 1.9];
    expect(createLookupLength(steps).choose(8, false, LIMIT)).toBe(6);
    expect(createLookupLength(steps).choose(2, false, LIMIT)).toBe(6);
    expect(createLookupLength(steps).choose(1, false, LIMIT)).toBe(1);
  });

  it('trusts longer matches more, and those in earlier texts less', () => {
    const length = (matched: number, isEarlier: boolean) =>
      createLookupLength().choose(matched, isEarlier, LIMIT);
    const lengths = [1, 2, 8].map((matched) => length(matched, false));
    expect(lengths[0]).toBeLessThan(lengths[1]!);
    expect(lengths[1]).toBeLessThanOrEqual(lengths[2]!);
    expect(length(12, false)).toBe(lengths[2]);
    for (const matched of [2, 3])
      expect(length(matched, true)).toBeLessThan(length(matched, false));
  });

  it('never proposes more than costs are known for', () => {
    expect(createLookupLength([1, 1, 1]).choose(8, false, LIMIT)).toBe(2);
  });

  it('grows with every success', () => {
    const lengths = createLookupLength(costs(0.15));
    const before = lengths.choose(1, false, LIMIT);
    for (let round = 0; round < 30; round++) {
      const drafted = lengths.choose(1, false, LIMIT);
      lengths.verified(drafted, drafted);
    }
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(LIMIT);
    expect(lengths.choose(1, false, LIMIT)).toBe(LIMIT);
  });

  it('stops where lookups are never right, and tries again later', () => {
    const lengths = createLookupLength(costs(0.1));
    let rounds = 0;
    let drafted = lengths.choose(1, false, LIMIT);
    while (drafted > 0 && rounds++ < 100) {
      lengths.verified(drafted, 0);
      drafted = lengths.choose(1, false, LIMIT);
    }
    expect(drafted).toBe(0);
    let waited = 0;
    while (lengths.choose(1, false, LIMIT) === 0 && waited < 1000) waited++;
    expect(waited).toBeGreaterThan(5);
    expect(waited).toBeLessThan(1000);
  });

  it('learns for each length and place of a match by itself', () => {
    const lengths = createLookupLength(costs(0.1));
    for (let round = 0; round < 20; round++) {
      lengths.choose(1, false, LIMIT);
      lengths.verified(1, 0);
    }
    expect(lengths.choose(1, false, LIMIT)).toBe(0);
    expect(lengths.choose(1, true, LIMIT)).toBeGreaterThan(0);
    expect(lengths.choose(2, false, LIMIT)).toBeGreaterThan(0);
  });
});
