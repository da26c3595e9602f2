import { describe, expect, it } from 'vitest';
import { bestBySeconds, bestByTrials, bestFigure } from '../../experiments/lib/samplers-figures.js';
import type { Run } from '../../experiments/lib/samplers-run.js';
import { fileSvg } from '../../src/reporting/figures/figure.js';
import { marks, parseSvg } from '../reporting/figures/svg.js';

/** A run whose trial t, `step` seconds after the one before, has the best score bests[t]. */
function someRun(sampler: Run['sampler'], seed: number, step: number, bests: number[]): Run {
  return {
    ...{ sampler, seed, fidelity: 'ladder', part: 'capped', trials: 9, seconds: 9, finalTrial: 0 },
    curve: bests.map((best, t) => ({ seconds: step * (t + 1), score: best, best })),
    final: { mask: Uint8Array.of(1, 0), draft: { exit: 'fixed', draftLength: 4, threshold: 0 } },
  };
}

const runs = [
  someRun('bo', 0, 1, [1, 1.2, 1.4]),
  someRun('bo', 1, 2, [1.2, 1.2, 1.6, 1.7]),
  someRun('random', 0, 1, [0.4, 1.1]),
];

describe('curves of best scores', () => {
  it('are means over the seeds that made a trial', () => {
    const bo = bestByTrials(runs).filter(({ series }) => series === 'bo');
    expect(bo.map(({ x }) => x)).toEqual([1, 2, 3]);
    for (const [i, best] of [1.1, 1.2, 1.5].entries()) expect(bo[i]!.y).toBeCloseTo(best, 12);
  });

  it('run over the seconds that all seeds have', () => {
    const bo = bestBySeconds(runs).filter(({ series }) => series === 'bo');
    expect([bo[0]!.x, bo.at(-1)!.x]).toEqual([2, 3]);
    expect(bo[0]!.y).toBeCloseTo((1.2 + 1.2) / 2, 12);
    expect(bo.at(-1)!.y).toBeCloseTo((1.4 + 1.2) / 2, 12);
  });
});

describe('bestFigure', () => {
  it.each(['trials', 'seconds'] as const)('draws a line for every sampler against %s', (axis) => {
    const svg = parseSvg(fileSvg(bestFigure('ladder', axis, runs)!));
    const lines = marks(svg, 'traces', 'path');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line.getAttribute('d')).toMatch(/^M[\d.]+,[\d.]+[HVL]/);
      expect(line.getAttribute('d')).not.toContain('NaN');
    }
  });

  it('is none without a trial', () => {
    expect(bestFigure('ladder', 'trials', [])).toBeNull();
  });
});
