import { describe, expect, it } from 'vitest';
import { nesting, parseJson } from '../src/json-file.js';

describe('parseJson', () => {
  it('refuses what would exhaust the stack of those who go through it', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseJson(nested(100))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(60_000))).toThrow(/nested deeper than 200 levels/);
    expect(() => parseJson('{"a":'.repeat(300))).toThrow(/nested deeper/);
  });

  it('counts brackets outside strings alone', () => {
    expect(nesting('{"a[[[\\"[[": ["[{", []]}')).toBe(3);
    expect(nesting('"[[[')).toBe(0);
    expect(nesting('[]'.repeat(500))).toBe(1);
  });
});
