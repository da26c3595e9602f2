import { expect, it } from 'vitest';
import { loadDataset } from '../../../src/datasets/load.js';
import { textKind } from '../../../src/server/profiles/text-kind.js';

it.each([
  ['code', 'code'],
  ['help', 'code'],
  ['math', 'figures'],
  ['stories', 'prose'],
])('the bundled prompts of %s are %s, nine of ten', (name, kind) => {
  const prompts = loadDataset(name).prompts;
  expect(prompts.length).toBeGreaterThan(30);
  const right = prompts.filter(({ prompt }) => textKind(prompt) === kind);
  expect(right.length / prompts.length).toBeGreaterThan(0.9);
});

it('nothing is prose', () => {
  expect(textKind('')).toBe('prose');
  expect(textKind(' \n')).toBe('prose');
});
