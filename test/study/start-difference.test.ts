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
    'has sampler "bo" but this run has "dp"',
    'has seed 1 but this run has 2',
    'has bits 4 but this run has 6',
    'has context.a {"x":1,"y":2} but this run has unset',
  ]);
});

it('tells of data which they are, without hashes', () => {
  const code = { name: 'code', hash: 'a'.repeat(64) };
  const tell = (before: object, now: object) =>
    startDifference({ ...start, context: { ...before } }, { ...start, context: { ...now } });
  expect(tell({ dataset: code }, { dataset: { ...code, name: 'math' } })).toBe(
    'has code to search on but this run has math',
  );
  expect(tell({ holdout: code }, { holdout: { ...code, hash: 'b'.repeat(64) } })).toBe(
    'has code to confirm on, and its prompts have changed since the study began',
  );
  const asked = { ...code, chat_template: true, system: 'Be short.' };
  expect(tell({ dataset: code }, { dataset: asked })).toBe(
    'has code to search on put to the model as text to be continued but this run as chat after the system message "Be short."',
  );
  expect(tell({ weights_hash: 'c'.repeat(64) }, { weights_hash: 'd'.repeat(64) })).toBe(
    'is of another model, or of other weights of it',
  );
});
