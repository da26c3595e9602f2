import { expect, it } from 'vitest';
import type { StudyStart } from '../../src/study/events.js';
import { startDifference } from '../../src/study/start-difference.js';

const start: StudyStart = { sampler: 'bo', seed: 1, bits: 4, context: { a: { x: 1, y: 2 } } };

it('names the first field that differs, with both values', () => {
  expect(startDifference(start, { ...start, context: { a: { y: 2, x: 1 } } })).toBeUndefined();
  const differences = [{ sampler: 'dp' }, { seed: 2 }, { bits: 6 }, { context: { b: null } }].map(
    (change) => startDifference(start, { ...start, ...change }),
  );
  expect(differences).toEqual([
    { field: 'sampler', before: '"bo"', now: '"dp"' },
    { field: 'seed', before: '1', now: '2' },
    { field: 'bits', before: '4', now: '6' },
    { field: 'context.a', before: '{"x":1,"y":2}', now: 'unset' },
  ]);
});
