import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builtInHead,
  columnCount,
  columnOf,
  mapColumns,
  tokenOf,
  withWords,
} from '../../src/decoding/head-tokens.js';
import { createSurvivors } from '../../src/decoding/sampling/filter.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';

const vocabulary = 60;
const token = fc.integer({ min: 0, max: vocabulary - 1 });
const ascending = fc
  .uniqueArray(token, { minLength: 1, maxLength: 30 })
  .map((list) => Int32Array.from(list).sort());
/** A head to which words were added twice. */
const wider = fc.tuple(ascending, fc.array(token), fc.array(token));
const headOf = ([builtIn, first, second]: readonly [Int32Array, number[], number[]]) =>
  withWords(withWords(builtInHead(builtIn)!, first), second);

describe('a head with added words', () => {
  it('has all of them once, those built in where they were, both parts ascending', () => {
    fc.assert(
      fc.property(wider, (parts) => {
        const [builtIn, first, second] = parts;
        const head = headOf(parts);
        expect(head.builtIn).toBe(builtIn.length);
        expect(head.tokens.subarray(0, head.builtIn)).toEqual(builtIn);
        const added = Array.from(head.tokens.subarray(head.builtIn));
        expect(added).toEqual([...added].sort((a, b) => a - b));
        const all = new Set([...builtIn, ...first, ...second]);
        expect(new Set(head.tokens)).toEqual(all);
        expect(columnCount(head, vocabulary)).toBe(all.size);
        expect(withWords(head, [...all])).toBe(head);
      }),
    );
  });

  it('has a column for each of its tokens and for no other', () => {
    fc.assert(
      fc.property(wider, (parts) => {
        const head = headOf(parts);
        for (const column of head.tokens.keys())
          expect(columnOf(head, tokenOf(head, column))).toBe(column);
        for (let id = 0; id < vocabulary; id++)
          if (!head.tokens.includes(id)) expect(columnOf(head, id)).toBe(-1);
      }),
    );
  });

  it('maps what a filter left to ids, ascending, each with its score, and keeps the top', () => {
    fc.assert(
      fc.property(wider, fc.infiniteStream(fc.boolean()), fc.nat(), (parts, kept, which) => {
        const head = headOf(parts);
        const columns = [...head.tokens.keys()].filter(() => kept.next().value);
        if (columns.length === 0) return;
        const survivors = createSurvivors({ ...GREEDY, temperature: 1 }, vocabulary);
        survivors.count = columns.length;
        survivors.top = which % columns.length;
        for (const [i, column] of columns.entries()) {
          survivors.ids[i] = column;
          survivors.scores[i] = -column / 8;
          survivors.probabilities[i] = column / 1024;
        }
        const top = tokenOf(head, columns[survivors.top]!);
        mapColumns(head, survivors);
        const ids = Array.from(survivors.ids.subarray(0, survivors.count));
        expect(ids).toEqual(columns.map((c) => tokenOf(head, c)).sort((a, b) => a - b));
        expect(survivors.ids[survivors.top]).toBe(top);
        for (const [i, id] of ids.entries()) {
          expect(survivors.scores[i]).toBe(-columnOf(head, id) / 8);
          expect(survivors.probabilities[i]).toBe(columnOf(head, id) / 1024);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of all tokens has each in its own column', () => {
    expect([columnOf(null, 7), tokenOf(null, 7), columnCount(null, vocabulary)]).toEqual([
      ...[7, 7, vocabulary],
    ]);
  });
});
