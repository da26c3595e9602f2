import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { FigureLayout } from '../../experiments/lib/definition.js';
import { experimentFigure } from '../../experiments/lib/figure.js';
import type { ResultRow } from '../../experiments/lib/result.js';
import { fileSvg } from '../../src/reporting/figures/figure.js';
import { someResult, someRow } from './example.js';

const baseline = someRow({ variant: 'autoregressive', method: 'autoregressive', speedup: 1 });
const kinds = ['stories', 'code', 'all'];
const rows = kinds.flatMap((dataset) => [
  { ...baseline, dataset },
  ...[2, 4, 8].map((draft_length) =>
    someRow({ dataset, draft_length, variant: `K = ${draft_length}`, speedup: draft_length / 4 }),
  ),
]);

function drawn(figure: FigureLayout, shown: readonly ResultRow[] = rows) {
  const made = experimentFigure({ figure }, someResult(shown));
  if (!made) return null;
  const { document } = parseHTML(fileSvg(made));
  const marks = (selector: string) => document.querySelectorAll(selector).length;
  const texts = [...document.querySelectorAll('text')].map(({ textContent }) => textContent);
  return { marks, texts };
}

describe('the figure of an experiment', () => {
  it('draws a line for each series, with a point and an interval for each row', () => {
    const { marks, texts } = drawn({ form: 'lines', x: 'draft_length', series: 'dataset' })!;
    expect(marks('.points circle')).toBe(9);
    expect(marks('.intervals line')).toBe(9);
    expect(texts).toEqual(expect.arrayContaining(['Some experiment', ...kinds, '2', '4', '8']));
    expect(texts).not.toContain('autoregressive');
  });

  it('draws a bar for each row of all datasets together, where they are not laid out by dataset', () => {
    const { marks, texts } = drawn({ form: 'bars', x: 'variant', series: 'precision' })!;
    expect(marks('.bars rect')).toBe(3);
    expect(texts).toEqual(expect.arrayContaining(['K = 2', 'K = 8', '0.50×', '2.00×']));
  });

  it('draws a cell for each row of a matrix, with its speedup and interval', () => {
    const { marks, texts } = drawn({ form: 'matrix', x: 'dataset', series: 'variant' })!;
    expect(marks('.cells rect')).toBe(9);
    expect(texts.filter((text) => text === '0.50x')).toHaveLength(3);
    expect(texts.filter((text) => text === '[1.20, 1.30]')).toHaveLength(9);
  });

  it('leaves out what was not timed, and is none without a speedup', () => {
    const untimed = rows.map((row) => ({ ...row, speedup: null, speedup_ci95: null }));
    const layout = { form: 'lines', x: 'draft_length', series: 'dataset' } as const;
    const some = drawn(layout, [...untimed.slice(0, 6), ...rows.slice(6)])!;
    expect(some.marks('.points circle')).toBe(5);
    for (const form of ['lines', 'matrix', 'bars'] as const)
      expect(drawn({ ...layout, form }, untimed)).toBeNull();
  });
});
