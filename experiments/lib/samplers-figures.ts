import { mean } from 'simple-statistics';
import type { Figure } from '../../src/reporting/figures/figure.js';
import type { Fidelity } from '../../src/search/defaults.js';
import { type LinePoint, traceFigure } from './figure-lines.js';
import type { Run } from './samplers-run.js';

/** Points of a curve over seconds. */
const GRID = 120;

/** The best score so far, meaned over the seeds of a sampler, after every trial that all of them made. */
export function bestByTrials(runs: readonly Run[]): LinePoint[] {
  return bySampler(runs).flatMap(([series, own]) => {
    const trials = Math.min(...own.map(({ curve }) => curve.length));
    return Array.from({ length: trials }, (_, trial) => ({
      ...{ series, x: trial + 1 },
      y: mean(own.map(({ curve }) => curve[trial]!.best)),
    }));
  });
}

/** The same over seconds, from when all seeds have a score to when the first of them ends. */
export function bestBySeconds(runs: readonly Run[]): LinePoint[] {
  return bySampler(runs).flatMap(([series, own]) => {
    const from = Math.max(...own.map(({ curve }) => curve[0]!.seconds));
    const to = Math.min(...own.map(({ curve }) => curve.at(-1)!.seconds));
    if (!(to > from)) return [];
    return Array.from({ length: GRID + 1 }, (_, g) => {
      const x = from * (to / from) ** (g / GRID);
      const bests = own.map(({ curve }) =>
        curve.findLast(({ seconds }) => seconds <= x * 1.000001),
      );
      return { series, x, y: mean(bests.map((point) => point!.best)) };
    });
  });
}

/** Best so far of every sampler against trials or seconds; null without a point. */
export function bestFigure(
  fidelity: Fidelity,
  axis: 'trials' | 'seconds',
  runs: readonly Run[],
): Figure | null {
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const kind = fidelity === 'ladder' ? 'predicted' : 'measured';
  const texts = {
    name: `samplers-${fidelity}-${axis}`,
    title: `Best ${kind} speedup against ${axis}`,
    caption: `Fidelity ${fidelity}: the best score so far, mean over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, by sampler. The best of noisy scores is biased upward; held-out prompts decide.`,
  };
  const points = axis === 'trials' ? bestByTrials(runs) : bestBySeconds(runs);
  return traceFigure(texts, { x: axis, y: `best ${kind} speedup` }, points);
}

function bySampler(runs: readonly Run[]): [string, Run[]][] {
  const made = runs.filter(({ curve }) => curve.length > 0);
  const names = [...new Set(made.map(({ sampler }) => sampler))];
  return names.map((name) => [name, made.filter(({ sampler }) => sampler === name)]);
}
