import { describe, expect, it } from 'vitest';
import { createLookupLength } from '../../src/decoding/lookup-length.js';

const LIMIT = 10;
/** A match in the current text. */
const matchOf = (matched: number) => ({ matched, isEarlier: false });
/** v_n = 1 + step n. */
const costs = (step: number) => Array.from({ length: LIMIT + 1 }, (_, n) => 1 + step * n);

describe('the length of a lookup', () => {
  it('proposes all where a token more costs nothing, and none where it costs a whole pass', () => {
    for (const matched of [1, 2, 3, 8]) {
      expect(createLookupLength(costs(0)).choose(matchOf(matched), LIMIT).count).toBe(LIMIT);
      expect(createLookupLength(costs(1)).choose(matchOf(matched), LIMIT).count).toBe(0);
    }
  });

  it('ends before the token whose chance no longer pays for its share of the pass', () => {
    // 0.53, 0.53 x 0.7, x 0.75, x 0.8, ... after a match of two tokens, by the prior.
    expect(createLookupLength(costs(0.25)).choose(matchOf(2), LIMIT).count).toBe(3);
    expect(createLookupLength(costs(0.25)).choose(matchOf(2), 2).count).toBe(2);
    expect(createLookupLength(costs(0.5)).choose(matchOf(2), LIMIT).count).toBe(1);
    expect(createLookupLength(costs(0.25)).choose(matchOf(1), LIMIT).count).toBe(0);
  });

  it('looks past a step of the kernel that the next token alone does not pay', () => {
    // The second token costs as much as a kernel's step, the third to sixth nothing.
    const steps = [1, 1.1, 1.9, 1.9, 1.9, 1.9, 1.9];
    expect(createLookupLength(steps).choose(matchOf(8), LIMIT).count).toBe(6);
    expect(createLookupLength(steps).choose(matchOf(2), LIMIT).count).toBe(6);
    expect(createLookupLength(steps).choose(matchOf(1), LIMIT).count).toBe(1);
  });

  it('trusts longer matches more, and those in earlier texts less', () => {
    const length = (matched: number, isEarlier: boolean) =>
      createLookupLength().choose({ matched, isEarlier }, LIMIT).count;
    const lengths = [1, 2, 8].map((matched) => length(matched, false));
    expect(lengths[0]).toBeLessThan(lengths[1]!);
    expect(lengths[1]).toBeLessThanOrEqual(lengths[2]!);
    expect(length(12, false)).toBe(lengths[2]);
    for (const matched of [2, 3])
      expect(length(matched, true)).toBeLessThan(length(matched, false));
  });

  it('goes on with a draft by the chance that it stands, from the pass that it has', () => {
    const lengths = createLookupLength(costs(0.25));
    const gain = (drafted: number, survival: number) =>
      lengths.choose(matchOf(2), LIMIT, { drafted, survival });
    expect(gain(3, 1)).toEqual(gain(0, 1));
    expect(gain(3, 0.6).gain).toBeLessThan(gain(3, 1).gain);
    expect(gain(3, 0.6).count).toBeLessThan(gain(3, 1).count);
    expect(gain(3, 0.01)).toEqual({ count: 0, gain: 0 });
    // Costs are known for so many tokens, the draft's included.
    expect(
      createLookupLength(costs(0)).choose(matchOf(8), LIMIT, { drafted: 7, survival: 1 }).count,
    ).toBe(3);
  });

  it('learns nothing of tokens that draft passes proposed', () => {
    const lengths = createLookupLength(costs(0.1));
    const before = lengths.choose(matchOf(3), LIMIT).count;
    for (let round = 0; round < 30; round++) {
      const { count } = lengths.choose(matchOf(3), LIMIT, { drafted: 2, survival: 0.5 });
      lengths.verified(2 + count, 0, 2);
    }
    // A token is worth all that it would cost alone again, as before.
    expect(lengths.worth).toBe(1);
    expect(lengths.choose(matchOf(3), LIMIT).count).toBe(before);
  });

  it('never proposes more than costs are known for', () => {
    expect(createLookupLength([1, 1, 1]).choose(matchOf(8), LIMIT).count).toBe(2);
  });

  it('grows with every success', () => {
    const lengths = createLookupLength(costs(0.15));
    const before = lengths.choose(matchOf(1), LIMIT).count;
    for (let round = 0; round < 30; round++) {
      const drafted = lengths.choose(matchOf(1), LIMIT).count;
      lengths.verified(drafted, drafted);
    }
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(LIMIT);
    expect(lengths.choose(matchOf(1), LIMIT).count).toBe(LIMIT);
  });

  it('stops where lookups are never right, and tries again later', () => {
    const lengths = createLookupLength(costs(0.1));
    let rounds = 0;
    let drafted = lengths.choose(matchOf(1), LIMIT).count;
    while (drafted > 0 && rounds++ < 100) {
      lengths.verified(drafted, 0);
      drafted = lengths.choose(matchOf(1), LIMIT).count;
    }
    expect(drafted).toBe(0);
    let waited = 0;
    while (lengths.choose(matchOf(1), LIMIT).count === 0 && waited < 1000) waited++;
    expect(waited).toBeGreaterThan(5);
    expect(waited).toBeLessThan(1000);
  });

  it('learns for each length and place of a match by itself', () => {
    const lengths = createLookupLength(costs(0.1));
    for (let round = 0; round < 20; round++) {
      lengths.choose(matchOf(1), LIMIT).count;
      lengths.verified(1, 0);
    }
    expect(lengths.choose(matchOf(1), LIMIT).count).toBe(0);
    expect(lengths.choose({ matched: 1, isEarlier: true }, LIMIT).count).toBeGreaterThan(0);
    expect(lengths.choose(matchOf(2), LIMIT).count).toBeGreaterThan(0);
  });
});
