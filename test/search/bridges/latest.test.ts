import { describe, expect, it } from 'vitest';
import { Latest } from '../../../src/search/bridges/latest.js';

describe('the latest values', () => {
  it('are those used last that fit', () => {
    const latest = new Latest<string, number[]>(6, ({ length }) => length);
    latest.add('a', [1, 1]);
    latest.add('b', [2, 2]);
    latest.add('c', [3, 3]);
    expect(latest.get('a')).toEqual([1, 1]);
    latest.add('d', [4]);
    expect(latest.get('b')).toBeUndefined();
    expect(latest.get('c')).toEqual([3, 3]);
    expect(latest.get('a')).toEqual([1, 1]);
    expect(latest.get('d')).toEqual([4]);
  });

  it('have the last one however large it is, and forget it for the next', () => {
    const latest = new Latest<string, number[]>(2, ({ length }) => length);
    latest.add('a', [1]);
    latest.add('large', [1, 2, 3, 4]);
    expect(latest.get('a')).toBeUndefined();
    expect(latest.get('large')).toHaveLength(4);
    latest.add('b', [2, 2]);
    expect(latest.get('large')).toBeUndefined();
    expect(latest.get('b')).toEqual([2, 2]);
  });
});
