import { describe, expect, it } from 'vitest';
import { fill } from '../../experiments/lib/fill.js';
import { parseFlags } from '../../experiments/lib/flags.js';
import { InputError } from '../../src/errors.js';

describe('the flags of a script', () => {
  const parse = (...argv: string[]) =>
    parseFlags(argv, { ladderSeeds: 10 }, { model: 'demo', profile: [] as string[] });

  it('have defaults, and are named in kebab case', () => {
    expect(parse()).toEqual({ ladderSeeds: 10, model: 'demo', profile: [] });
    expect(parse('--ladder-seeds', '0', '--profile', 'a', '--profile', 'b')).toEqual({
      ...{ ladderSeeds: 0, model: 'demo', profile: ['a', 'b'] },
    });
  });

  it('are refused where a number is none', () => {
    for (const number of ['x', '-1', '1.5'])
      expect(() => parse(`--ladder-seeds=${number}`)).toThrow(InputError);
    expect(() => parse('--colour', 'red')).toThrow(/colour/);
  });
});

describe('a template', () => {
  it('is filled with fields as they are asked for', () => {
    expect(fill('{a.b:fixed2} of {n:count}, {name}', { a: { b: 1 / 3 }, n: 1e4, name: 'x' })).toBe(
      '0.33 of 10,000, x',
    );
  });

  it('is refused for a field that is not there or is no number', () => {
    expect(() => fill('{a.b.c}', { a: null })).toThrow(/\{a\.b\.c\}/);
    expect(() => fill('{a:fixed2}', { a: '1' })).toThrow(InputError);
  });
});
