import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPromptLookup, MOST_MATCHED } from '../../src/decoding/prompt-lookup.js';

/**
 * The definition: scan back for the last n tokens, n from the largest down.
 * @param known tokens that may be found; those after them are supposed.
 */
function scan(text: number[], maxNgram: number, limit: number, known = text.length): number[] {
  for (let n = Math.min(maxNgram, text.length); n >= 1; n--) {
    for (let start = known - 1; start >= n; start--) {
      const before = text.slice(start - n, start);
      if (before.some((token, i) => token !== text[text.length - n + i])) continue;
      const followed = text.slice(start, start + limit);
      if (text.length - start > n) return followed;
      return Array.from({ length: limit }, (_, i) => text[start + (i % (text.length - start))]);
    }
  }
  return [];
}

function propose(lookup: ReturnType<typeof createPromptLookup>, limit: number): number[] {
  const into = new Int32Array(limit).fill(-1);
  const place = lookup.find();
  return place === 0 ? [] : Array.from(into.subarray(0, lookup.propose(place, limit, into)));
}

describe('prompt lookup', () => {
  it('proposes what a scan of the whole text finds, as the text grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 10 }),
        (maxNgram, pieces, limit) => {
          const lookup = createPromptLookup(maxNgram);
          const text: number[] = [];
          for (const piece of pieces) {
            lookup.append(piece);
            text.push(...piece);
            expect(propose(lookup, limit)).toEqual(scan(text, maxNgram, limit));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('goes on with a draft whose tokens are only supposed, and forgets them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 10 }),
        (text, draft, limit) => {
          const lookup = createPromptLookup(3);
          lookup.append(text);
          for (const token of draft) lookup.suppose(token);
          const both = [...text, ...draft];
          expect(propose(lookup, limit)).toEqual(scan(both, 3, limit, text.length));
          lookup.retract();
          expect(propose(lookup, limit)).toEqual(scan(text, 3, limit));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not find what was supposed when its tables grew', () => {
    const lookup = createPromptLookup(3);
    lookup.append(Array.from({ length: 1023 }, (_, i) => 10 + i));
    for (const token of [1, 2, 3, 1, 2, 3]) lookup.suppose(token);
    lookup.retract();
    lookup.append([1, 2]);
    expect(lookup.find()).toBe(0);
  });

  it('still does after its tables have grown, with a large vocabulary', () => {
    const lookup = createPromptLookup();
    const text: number[] = [];
    let state = 1;
    for (let i = 0; i < 5000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      const token = (state >> 8) % (i % 3 === 0 ? 128_000 : 60);
      text.push(token);
      lookup.append([token]);
      if (i % 50 === 0 || (i > 1020 && i < 1030)) {
        expect(propose(lookup, 10)).toEqual(scan(text, 3, 10));
      }
    }
  });

  it('loses no place when its tables grow', () => {
    const lookup = createPromptLookup();
    const distinct = Array.from({ length: 1024 }, (_, i) => i);
    lookup.append(distinct);
    // The first tables hold 1024 tokens; the place after 1022 is the last that goes over to the next ones.
    lookup.append([1022]);
    expect(propose(lookup, 4)).toEqual([1023, 1022]);
  });

  it('prefers the longest match, then the latest', () => {
    const lookup = createPromptLookup(2);
    lookup.append(Int32Array.of(1, 2, 30, 9, 2, 40, 1, 2));
    expect(propose(lookup, 3)).toEqual([30, 9, 2]);
    lookup.append([50, 2]);
    expect(propose(lookup, 2)).toEqual([50, 2]);
  });

  it('takes no match shorter than the least n-gram', () => {
    const text = [1, 2, 30, 9, 2];
    const any = createPromptLookup(3);
    any.append(text);
    expect(propose(any, 2)).toEqual([30, 9]);
    const pairs = createPromptLookup(3, 2);
    pairs.append(text);
    expect(propose(pairs, 2)).toEqual([]);
    pairs.append([1, 2]);
    expect(propose(pairs, 2)).toEqual([30, 9]);
  });

  it('goes on round a cycle, and only round one', () => {
    const cycle = createPromptLookup();
    cycle.append([7, 1, 2, 1, 2]);
    expect(propose(cycle, 5)).toEqual([1, 2, 1, 2, 1]);
    const once = createPromptLookup();
    once.append([7, 1, 2, 1]);
    expect(propose(once, 5)).toEqual([2, 1]);
  });

  it('proposes nothing without an earlier occurrence, or without room', () => {
    const lookup = createPromptLookup();
    expect(propose(lookup, 5)).toEqual([]);
    lookup.append([4]);
    expect(propose(lookup, 5)).toEqual([]);
    lookup.append([4]);
    expect(lookup.propose(lookup.find(), 5, new Int32Array(2))).toBe(2);
    expect(propose(lookup, 0)).toEqual([]);
  });

  it('tells how long a match is, past the n-gram that found it', () => {
    const lookup = createPromptLookup(2);
    lookup.append([1, 2, 3, 4, 5, 9, 8, 2, 3, 4, 5]);
    expect(lookup.matched(lookup.find())).toBe(4);
    const long = Array.from({ length: 20 }, (_, i) => 100 + i);
    lookup.append([...long, 0, ...long]);
    expect(lookup.matched(lookup.find())).toBe(MOST_MATCHED);
  });

  it('finds what earlier texts said, and never goes past their ends or takes one for the start of another', () => {
    const token = fc.integer({ min: 0, max: 2 });
    fc.assert(
      fc.property(
        fc.array(fc.array(token, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
        (texts) => {
          const lookup = createPromptLookup(3);
          for (const text of texts) {
            lookup.begin();
            lookup.append(text);
          }
          const proposed = propose(lookup, 8);
          expect(proposed.every((id) => id >= 0)).toBe(true);
          const last = texts.at(-1)!;
          const own = createPromptLookup(3);
          own.append(last);
          const place = lookup.find();
          const matched = place === 0 ? 0 : lookup.matched(place);
          const ownMatched = own.find() === 0 ? 0 : own.matched(own.find());
          // Nothing is lost by knowing more, and a tie goes to the current text.
          expect(Math.min(matched, 3)).toBeGreaterThanOrEqual(Math.min(ownMatched, 3));
          if (Math.min(matched, 3) === Math.min(ownMatched, 3) && place !== 0)
            expect(lookup.isEarlier(place)).toBe(false);
          if (place !== 0 && lookup.isEarlier(place)) {
            const key = [...last.slice(-Math.min(matched, 3)), ...proposed].join();
            expect(texts.slice(0, -1).some((text) => text.join().includes(key))).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('forgets the older half of very much text, and still finds the newer', () => {
    const lookup = createPromptLookup();
    const filler = Array.from({ length: 70_000 }, (_, i) => 10 + i);
    lookup.append([1, 2, 3, 4]);
    for (let text = 0; text < 2; text++) {
      lookup.begin();
      lookup.append(filler.map((id) => id + 100_000 * text));
    }
    lookup.append([5, 6, 7, 8]);
    lookup.begin();
    lookup.append([1, 2, 3]);
    expect(propose(lookup, 1)).toEqual([]);
    lookup.append([5, 6, 7]);
    expect(propose(lookup, 3)).toEqual([8]);
  });
});
