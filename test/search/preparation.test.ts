import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { preparationNotice } from '../../src/search/preparation.js';

it('is told where it is long, and what it leaves of the time', () => {
  expect(preparationNotice(1, Number.POSITIVE_INFINITY, 0)).toBeUndefined();
  expect(preparationNotice(33, Number.POSITIVE_INFINITY, 0)).toBe(
    'What comes before the trials takes about 35s.',
  );
  expect(preparationNotice(100, 600, 0)).toBe(
    'What comes before the trials takes about 2m, which leaves 8m for them.',
  );
  expect(preparationNotice(21, 40, 0)).toMatch(/takes about 25s, which leaves 15s for them/);
});

it('is refused where no trial could start, unless some have finished', () => {
  expect(() => preparationNotice(61, 60, 0)).toThrow(InputError);
  expect(() => preparationNotice(61, 60, 0)).toThrow(/about 65s here; give 3m or more/);
  expect(preparationNotice(61, 60, 4)).toMatch(/about 65s/);
});
