import { gridY, lineY } from '@observablehq/plot';
import { mean } from 'simple-statistics';
import { marginFor, paddedDomain, speedupScale } from '../../src/reporting/figures/axes.js';
import type { Figure } from '../../src/reporting/figures/figure.js';
import { seriesColour } from '../../src/reporting/figures/palette.js';
import type { Fidelity } from '../../src/search/request.js';
import type { Run } from './samplers-run.js';

/** Points of a curve over seconds. */
const GRID = 120;

/** A point of a mean curve. */
export interface MeanPoint {
  readonly sampler: string;
  /** Trials or seconds. */
  readonly x: number;
  readonly best: number;
}

/** The best score so far, meaned over the seeds of a sampler, after every trial that all of them made. */
export function bestByTrials(runs: readonly Run[]): MeanPoint[] {
  return bySampler(runs).flatMap(([sampler, own]) => {
    const trials = Math.min(...own.map(({ curve }) => curve.length));
    return Array.from({ length: trials }, (_, trial) => ({
      sampler,
      x: trial + 1,
      best: mean(own.map(({ curve }) => curve[trial]!.best)),
    }));
  });
}

/** The same over seconds, from when all seeds have a score to when the first of them ends. */
export function bestBySeconds(runs: readonly Run[]): MeanPoint[] {
  return bySampler(runs).flatMap(([sampler, own]) => {
    const from = Math.max(...own.map(({ curve }) => curve[0]!.seconds));
    const to = Math.min(...own.map(({ curve }) => curve.at(-1)!.seconds));
    if (!(to > from)) return [];
    return Array.from({ length: GRID + 1 }, (_, g) => {
      const x = from * (to / from) ** (g / GRID);
      const bests = own.map(({ curve }) =>
        curve.findLast(({ seconds }) => seconds <= x * 1.000001),
      );
      return { sampler, x, best: mean(bests.map((point) => point!.best)) };
    });
  });
}

/** Best so far of every sampler against trials or seconds; null without a point. */
export function bestFigure(
  fidelity: Fidelity,
  axis: 'trials' | 'seconds',
  runs: readonly Run[],
  samplers: readonly string[],
): Figure | null {
  const points = axis === 'trials' ? bestByTrials(runs) : bestBySeconds(runs);
  if (points.length === 0) return null;
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const kind = fidelity === 'ladder' ? 'predicted' : 'measured';
  const shown = samplers.filter((name) => points.some(({ sampler }) => sampler === name));
  const colourOf = (name: string) => samplers.indexOf(name);
  // The first few trials of a bad start would leave no room for what is compared.
  const sorted = points.map(({ best }) => best).sort((a, b) => a - b);
  const domain = paddedDomain(sorted.slice(Math.floor(sorted.length / 20)));
  return {
    name: `samplers-${fidelity}-${axis}`,
    title: `Best ${kind} speedup against ${axis}`,
    caption: `Fidelity ${fidelity}: the best score so far, mean over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, by sampler. The best of noisy scores is biased upward; held-out prompts decide.`,
    key: (palette) =>
      shown.map((label) => ({
        label,
        colour: seriesColour(palette, colourOf(label)),
        shape: 'line',
      })),
    plot: (palette) => ({
      height: 270,
      marginLeft: marginFor(['0.000×']),
      marginRight: 14,
      marginTop: 28,
      marginBottom: 42,
      x: {
        type: 'log',
        label: axis,
        labelArrow: 'none',
        labelAnchor: 'center',
        ticks: 4,
        tickFormat: (value: number) => `${value}`,
      },
      y: { ...speedupScale(`best ${kind} speedup`, domain), clamp: true },
      marks: [
        gridY(),
        ...shown.map((name) =>
          lineY(
            points.filter(({ sampler }) => sampler === name),
            {
              x: 'x',
              y: 'best',
              curve: 'step-after',
              stroke: seriesColour(palette, colourOf(name)),
              strokeWidth: 2,
              className: `best-${name}`,
            },
          ),
        ),
      ],
    }),
  };
}

function bySampler(runs: readonly Run[]): [string, Run[]][] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.curve.length === 0) continue;
    groups.set(run.sampler, [...(groups.get(run.sampler) ?? []), run]);
  }
  return [...groups];
}
