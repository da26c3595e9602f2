import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { maskMap } from '../../src/reporting/mask-map.js';

const lines = (attention: number[], mlp: number[], layers: number) =>
  stripVTControlCharacters(maskMap({ attention, mlp }, layers)).split('\n');

test('a small model', () => {
  expect(lines([1, 5], [0], 7)).toEqual([
    'layer      0         5',
    'attention  ■ · ■ ■ ■ · ■',
    'MLP        · ■ ■ ■ ■ ■ ■',
    '■ runs in the draft  · skipped: 2 of 7 attention, 1 of 7 MLP sublayers',
  ]);
});

test('a bridge is a line over its whole run, and is told of', () => {
  const mask = { attention: [1, 2, 4], mlp: [1, 4] };
  const shown = maskMap(mask, 6, [{ from: 2, to: 5 }]);
  expect(stripVTControlCharacters(shown).split('\n')).toEqual([
    'layer      0         5',
    'attention  ■ ─ ─ ■ · ■',
    'MLP        ■ ─ ■ ■ · ■',
    '■ runs in the draft  · skipped  ─ bridged: 3 of 6 attention, 2 of 6 MLP sublayers',
  ]);
});

test('what is skipped is told within the width, words in one piece', () => {
  const mask = { attention: [1, 2, 4], mlp: [1, 4] };
  const shown = stripVTControlCharacters(maskMap(mask, 6, [{ from: 2, to: 5 }], 80)).split('\n');
  expect(shown.slice(3)).toEqual([
    '■ runs in the draft  · skipped  ─ bridged: 3 of 6 attention, 2 of 6 MLP',
    'sublayers',
  ]);
});

test('eighty layers wrap within 100 columns, the ruler going on', () => {
  const shown = lines([40, 79], [41], 80);
  expect(shown).toHaveLength(7);
  for (const line of shown) expect(line.length).toBeLessThanOrEqual(100);
  expect(shown[3]).toMatch(/^layer {6}40 {8}45 /);
  expect(shown[4]).toMatch(/^attention {2}· ■ .* ·$/);
  expect(shown[5]).toMatch(/^MLP {8}■ · ■ /);
  // Every number stands above its own layer.
  expect(shown[3].indexOf('75')).toBe(11 + 2 * 35);
});

test('a last line that holds no multiple of five, and numbers of three digits', () => {
  expect(lines([], [], 126)[9]).toMatch(/^layer {6}120 {7}125$/);
});

test('a narrower terminal has fewer layers on a line', () => {
  const shown = stripVTControlCharacters(maskMap({ attention: [], mlp: [] }, 40, [], 80)).split(
    '\n',
  );
  expect(shown).toHaveLength(7);
  for (const line of shown) expect(line.length).toBeLessThanOrEqual(80);
  expect(shown[3]).toMatch(/^layer {6}35/);
});
