import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doorNames } from '../../experiments/lib/fuzz/doors/index.js';
import { guardWrites, takeOutsideWrites } from '../../experiments/lib/fuzz/guard-writes.js';
import { faultOf } from '../../experiments/lib/fuzz/judge.js';
import { fuzzDoor } from '../../experiments/lib/fuzz/run.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const minutes = 60_000;

describe('mutated inputs', () => {
  it.each(doorNames)(
    'through the door %s end in a right result or a clear error',
    async (door) => {
      const keep = temporaryDirectory();
      const report = await fuzzDoor(door, { runs: 50, seed: 1, from: 0, keep });
      expect(report.findings).toEqual([]);
      // Some are none the worse for it; were all refused alike, little would have been looked at.
      expect(report.accepted).toBeGreaterThan(0);
      expect(report.kinds_of_refusal).toBeGreaterThan(5);
    },
    5 * minutes,
  );
});

describe('what counts as a fault', () => {
  const named = (message: string) => faultOf(new InputError(message), ['a.json']);
  it('is an error of another kind, and one that names no file', () => {
    expect(named('a.json: field "x" is missing.')).toBeUndefined();
    expect(named('field "x" is missing.')).toMatch(/names no file/);
    expect(faultOf(new TypeError('a.json'), ['a.json'])).toMatch(/no InputError: TypeError/);
  });

  it('is a write beside the folder, by whatever function', () => {
    const folder = temporaryDirectory();
    const inside = join(folder, 'inside');
    mkdirSync(inside);
    guardWrites(inside);
    writeFileSync(join(inside, 'a'), '');
    expect(takeOutsideWrites()).toEqual([]);
    writeFileSync(join(inside, '..', 'b'), '');
    mkdirSync(join(folder, 'c'));
    guardWrites('');
    writeFileSync(join(folder, 'd'), '');
    expect(takeOutsideWrites()).toEqual([join(folder, 'b'), join(folder, 'c')]);
  });
});
