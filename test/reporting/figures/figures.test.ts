import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptanceFigure } from '../../../src/reporting/figures/acceptance.js';
import { fidelityFigure } from '../../../src/reporting/figures/fidelity.js';
import {
  FIGURE_WIDTH,
  type Figure,
  fileSvg,
  pageSvg,
} from '../../../src/reporting/figures/figure.js';
import { maskFigure } from '../../../src/reporting/figures/mask.js';
import { paretoFigure } from '../../../src/reporting/figures/pareto.js';
import { speedupFigure } from '../../../src/reporting/figures/speedups.js';
import { textWidth } from '../../../src/reporting/figures/text.js';
import { timeFigure } from '../../../src/reporting/figures/time.js';
import { traceFigure } from '../../../src/reporting/figures/trace.js';
import { pngRenderer } from '../../../src/reporting/png.js';
import { cutTexts, marks, parseSvg, type SvgElement, textBoxes } from './svg.js';

const drawn = (figure: Figure | null) => parseSvg(fileSvg(figure!));
const count = (svg: SvgElement, className: string, tag: string) =>
  marks(svg, className, tag).length;
const number = (element: SvgElement, name: string) => Number(element.getAttribute(name));

const BARS = [
  { dataset: 'code', method: 'skip', speedup: 0.5, interval: [0.25, 0.75] },
  { dataset: 'code', method: 'lookup', speedup: 2, interval: [1.5, 2.5] },
  { dataset: 'math', method: 'skip', speedup: 1, interval: null },
] as const;

describe('the marks of a figure', () => {
  it('mask: a filled cell for each sublayer that runs, an open one for each that is skipped', () => {
    const svg = drawn(maskFigure('mask', { attention: [0, 3], mlp: [4] }, 40));
    expect(count(svg, 'kept', 'rect')).toBe(77);
    expect(count(svg, 'skipped', 'rect')).toBe(3);
    expect(marks(svg, 'ruler', 'text').map((text) => text.textContent)).toEqual([
      '0',
      '4',
      '8',
      '12',
      '16',
      '20',
      '24',
      '28',
      '32',
      '36',
    ]);
    const [attention, other, mlp] = marks(svg, 'skipped', 'rect');
    expect(number(attention!, 'y')).toBe(number(other!, 'y'));
    expect(number(mlp!, 'y')).toBeGreaterThan(number(attention!, 'y'));
    expect(number(other!, 'x')).toBeGreaterThan(number(attention!, 'x'));
  });

  it('speedups: bars as long as the speedups, whiskers where there is an interval', () => {
    const svg = drawn(speedupFigure('speedups', BARS));
    const widths = marks(svg, 'bars', 'rect').map((bar) => number(bar, 'width'));
    expect(widths.length).toBe(3);
    expect(widths[1]! / widths[0]!).toBeCloseTo(4, 5);
    expect(count(svg, 'intervals', 'line')).toBe(2);
    expect(count(svg, 'ends', 'line')).toBe(4);
    const [whisker] = marks(svg, 'intervals', 'line');
    const length = number(whisker!, 'x2') - number(whisker!, 'x1');
    // From 0.25 to 0.75 is as long as the bar of 0.5.
    expect(length).toBeCloseTo(widths[0]!, 5);
    expect(marks(svg, 'values', 'text').map((text) => text.textContent)).toEqual([
      '0.50×',
      '2.00×',
      '1.00×',
    ]);
    expect(count(svg, 'one', 'line')).toBe(2);
  });

  it('speedups: an interval without measure leaves the bars to see, and its whisker has no end', () => {
    const wild = { dataset: 'code', method: 'skip', speedup: 1.2, interval: [0.9, 500] } as const;
    const figure = speedupFigure('speedups', [wild])!;
    const svg = drawn(figure);
    const [bar] = marks(svg, 'bars', 'rect');
    const [whisker] = marks(svg, 'intervals', 'line');
    expect(number(bar!, 'width')).toBeGreaterThan(100);
    expect(number(whisker!, 'x2')).toBeLessThan(460);
    expect(count(svg, 'ends', 'line')).toBe(1);
    expect(figure.caption).toContain('goes on beyond the scale');
  });

  it('time: the parts of each method, one after the other', () => {
    const parts = [
      { method: 'autoregressive', draft: 0, verify: 4, overhead: 1 },
      { method: 'skip', draft: 2, verify: 1, overhead: 1 },
    ];
    const svg = drawn(timeFigure('time', parts));
    const bars = marks(svg, 'bars', 'rect');
    expect(bars.length).toBe(5);
    expect(number(bars[1]!, 'x')).toBeCloseTo(number(bars[0]!, 'x') + number(bars[0]!, 'width'), 5);
    expect(number(bars[0]!, 'width')).toBeCloseTo(4 * number(bars[1]!, 'width'), 5);
    expect(marks(svg, 'values', 'text').map((text) => text.textContent)).toEqual([
      '5.00 ms',
      '4.00 ms',
    ]);
  });

  it('acceptance: a dot for each offset that has a figure', () => {
    const svg = drawn(
      acceptanceFigure('acceptance', [
        { method: 'skip', conditionalAcceptance: [0.9, 0.8, null, 0.5] },
        { method: 'lookup', conditionalAcceptance: [0.4] },
        { method: 'idle', conditionalAcceptance: [null] },
      ]),
    );
    expect(count(svg, 'acceptance', 'circle')).toBe(4);
    expect(textBoxes(svg).some(({ text }) => text === 'idle')).toBe(false);
  });

  it('trace: a ring for each trial, and a line of the best so far', () => {
    const points = [0.7, 0.9, 0.8, 1.1].map((score, trial) => ({ trial, score }));
    const svg = drawn(traceFigure('trace', points, 'ladder'));
    expect(count(svg, 'trials', 'circle')).toBe(4);
    const [path] = marks(svg, 'best', 'path');
    // Steps: it rises where a trial beats all before it, so at trials 1 and 3.
    expect(path!.getAttribute('d')!.match(/[A-Z]/g)!.length).toBeGreaterThan(4);
  });

  it('fidelity: a dot and an interval for each finalist, the diagonal from corner to corner', () => {
    const svg = drawn(
      fidelityFigure(
        'fidelity',
        [
          { predicted: 1.1, measured: 1.1, interval: [1, 1.2] },
          { predicted: 1.3, measured: 1.2, interval: null },
        ],
        'replay',
      ),
    );
    expect(count(svg, 'finalists', 'circle')).toBe(2);
    expect(count(svg, 'intervals', 'line')).toBe(2);
  });

  it('Pareto front: what nothing beats in both, the rest as rings, the chosen one as a star', () => {
    const points = [
      { c: 0.2, acceptance: 0.5 },
      { c: 0.4, acceptance: 0.8 },
      { c: 0.5, acceptance: 0.7 },
      { c: 0.6, acceptance: 0.9 },
    ];
    const svg = drawn(paretoFigure('pareto', points, { c: 0.4, acceptance: 0.75 }, ''));
    expect(count(svg, 'front', 'circle')).toBe(3);
    expect(count(svg, 'trials', 'circle')).toBe(1);
    expect(count(svg, 'chosen', 'path')).toBe(1);
  });

  it('is none where there is nothing to show', () => {
    expect(speedupFigure('x', [])).toBeNull();
    expect(timeFigure('x', [])).toBeNull();
    expect(acceptanceFigure('x', [{ method: 'skip', conditionalAcceptance: [null] }])).toBeNull();
    expect(traceFigure('x', [], 'ladder')).toBeNull();
    expect(fidelityFigure('x', [], 'replay')).toBeNull();
    expect(paretoFigure('x', [{ c: 1, acceptance: 1 }], null, '')).toBeNull();
  });
});

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const around = fc
  .tuple(positive, share, share)
  .map(([value, a, b]) => [value, [value * (1 - a / 2), value * (1 + b)]] as const);

/** Figures of data of every size and shape. */
const figures: fc.Arbitrary<Figure | null> = fc.oneof(
  fc
    .tuple(
      fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
      fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
    )
    .chain(([datasets, methods]) =>
      fc
        .array(around, {
          minLength: datasets.length * methods.length,
          maxLength: datasets.length * methods.length,
        })
        .map((values) =>
          speedupFigure(
            'f',
            datasets.flatMap((dataset, d) =>
              methods.map((method, m) => {
                const [speedup, interval] = values[d * methods.length + m]!;
                return {
                  dataset,
                  method,
                  speedup,
                  interval: [interval[0]!, interval[1]!] as const,
                };
              }),
            ),
          ),
        ),
    ),
  fc
    .uniqueArray(
      fc.record({ method: name, draft: positive, verify: positive, overhead: positive }),
      { minLength: 1, maxLength: 4, selector: ({ method }) => method },
    )
    .map((parts) => timeFigure('f', parts)),
  fc
    .uniqueArray(
      fc.record({
        method: name,
        conditionalAcceptance: fc.array(fc.option(share), { maxLength: 40 }),
      }),
      { maxLength: 5, selector: ({ method }) => method },
    )
    .map((curves) => acceptanceFigure('f', curves)),
  fc.array(positive, { maxLength: 40 }).map((scores) =>
    traceFigure(
      'f',
      scores.map((score, i) => ({ trial: 37 * i, score })),
      'ladder',
    ),
  ),
  fc.array(around, { maxLength: 10 }).map((list) =>
    fidelityFigure(
      'f',
      list.map(([measured, interval]) => ({
        predicted: measured / 2,
        measured,
        interval: [interval[0]!, interval[1]!] as const,
      })),
      'replay',
    ),
  ),
  fc
    .array(fc.record({ c: positive, acceptance: share }), { maxLength: 30 })
    .map((points) => paretoFigure('f', points, points[0] ?? null, '')),
  fc
    .integer({ min: 1, max: 200 })
    .map((layers) => maskFigure('f', { attention: [0], mlp: [layers - 1] }, layers)),
);

describe('any figure', () => {
  it('cuts no text, is well-formed, and holds names from files as text only', () => {
    fc.assert(
      fc.property(figures, (figure) => {
        if (figure === null) return;
        const svg = parseSvg(fileSvg(figure));
        expect(cutTexts(svg)).toEqual([]);
        expect([...svg.querySelectorAll('text')].length).toBeGreaterThan(1);
        expect(fileSvg(figure)).not.toMatch(/NaN|Infinity|undefined/);
      }),
      { numRuns: 60 },
    );
  });

  it('is drawn of values that hardly differ', () => {
    const points = [7e-323, 1e-323].map((acceptance) => ({ c: 0.001, acceptance }));
    const figure = paretoFigure('f', points, points[0]!, '')!;
    expect(fileSvg(figure)).not.toMatch(/NaN|Infinity/);
  });

  it('escapes what could be markup', () => {
    const evil = `<script>alert("1")</script>&'`;
    const figure = speedupFigure('f', [
      { dataset: evil, method: evil, speedup: 1, interval: null },
    ])!;
    for (const svg of [fileSvg(figure), pageSvg(figure)]) {
      expect(svg).not.toContain('<script');
      expect(svg).toContain('&#60;script');
    }
  });

  it('is the same however often it is drawn', () => {
    const figure = speedupFigure('f', BARS)!;
    expect(pageSvg(figure)).toBe(pageSvg(figure));
  });

  it('fit their titles, the long ones in smaller letters', () => {
    const figure = speedupFigure('f', BARS)!;
    const sizeOf = (title: string) =>
      Number(/font-size="([\d.]+)" font-weight="bold"/.exec(fileSvg({ ...figure, title }))?.[1]);
    expect(sizeOf('Short')).toBe(15);
    const long = 'Speedup by draft-exit rule on SmolLM2-135M-Instruct';
    expect(sizeOf(long)).toBeLessThan(15);
    expect(textWidth(long, sizeOf(long))).toBeLessThan(FIGURE_WIDTH - 12);
  });

  it('in a page takes its colours from the page; as a file it brings its own', () => {
    const figure = speedupFigure('f', BARS)!;
    expect(pageSvg(figure)).toContain('fill="var(--series-0)"');
    expect(fileSvg(figure)).not.toContain('var(');
    expect(fileSvg(figure)).toContain('<title>Speedup by dataset and method</title>');
  });
});

describe('a figure as PNG', () => {
  it('has its marks in it', async () => {
    const toPng = await pngRenderer();
    // The package is optional.
    if (!toPng) return;
    const blank = toPng('<svg xmlns="http://www.w3.org/2000/svg" width="460" height="300"/>');
    const png = toPng(fileSvg(speedupFigure('f', BARS)!));
    expect([...png.subarray(1, 4)].map((byte) => String.fromCharCode(byte)).join('')).toBe('PNG');
    expect(png.length).toBeGreaterThan(2 * blank.length);
  });
});
