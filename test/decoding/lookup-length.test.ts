import { describe, expect, it } from 'vitest';
import { createLookupLength } from '../../src/decoding/lookup-length.js';

const LIMIT = 10;
/** v_n = 1 + step n. */
const costs = (step: number) => Array.from({ length: LIMIT + 1 }, (_, n) => 1 + step * n);

describe('the length of a lookup', () => {
  it('proposes all where a token more costs nothing, and none where it costs a whole pass', () => {
    for (const ngram of [1, 2, 3]) {
      expect(createLookupLength(costs(0)).choose(ngram, LIMIT)).toBe(LIMIT);
      expect(createLookupLength(costs(1)).choose(ngram, LIMIT)).toBe(0);
    }
  });

  it('ends before the token whose chance no longer pays for its share of the pass', () => {
    // 0.6, 0.42, 0.294, 0.206 for the first four tokens of a trigram, by the prior.
    expect(createLookupLength(costs(0.25)).choose(3, LIMIT)).toBe(3);
    expect(createLookupLength(costs(0.25)).choose(3, 2)).toBe(2);
    expect(createLookupLength(costs(0.5)).choose(3, LIMIT)).toBe(1);
  });

  it('trusts longer n-grams more', () => {
    const lengths = [1, 2, 3, 4].map((ngram) => createLookupLength().choose(ngram, LIMIT));
    expect(lengths[0]).toBeLessThan(lengths[1]);
    expect(lengths[1]).toBeLessThan(lengths[2]);
    expect(lengths[3]).toBe(lengths[2]);
  });

  it('grows with every success', () => {
    const lengths = createLookupLength(costs(0.1));
    const before = lengths.choose(2, LIMIT);
    for (let round = 0; round < 30; round++) {
      const drafted = lengths.choose(2, LIMIT);
      lengths.verified(drafted, drafted);
    }
    expect(before).toBeLessThan(LIMIT);
    expect(lengths.choose(2, LIMIT)).toBe(LIMIT);
  });

  it('stops where lookups are never right, and tries again later', () => {
    const lengths = createLookupLength(costs(0.1));
    let rounds = 0;
    let drafted = lengths.choose(1, LIMIT);
    while (drafted > 0 && rounds++ < 100) {
      lengths.verified(drafted, 0);
      drafted = lengths.choose(1, LIMIT);
    }
    expect(drafted).toBe(0);
    let waited = 0;
    while (lengths.choose(1, LIMIT) === 0 && waited < 1000) waited++;
    expect(waited).toBeGreaterThan(5);
    expect(waited).toBeLessThan(1000);
  });

  it('learns for each length of n-gram by itself', () => {
    const lengths = createLookupLength(costs(0.1));
    for (let round = 0; round < 6; round++) {
      lengths.choose(1, LIMIT);
      lengths.verified(1, 0);
    }
    expect(lengths.choose(1, LIMIT)).toBe(0);
    expect(lengths.choose(3, LIMIT)).toBeGreaterThan(0);
  });
});
