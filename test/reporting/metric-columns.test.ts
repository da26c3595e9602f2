import { describe, expect, it } from 'vitest';
import { METRIC_NAMES, METRICS } from '../../src/metrics/registry.js';
import {
  figureCells,
  metricColumn,
  metricColumns,
  metricLines,
} from '../../src/reporting/metric-columns.js';

const figures = {
  ...{ speedup: 1.234, speedup_ci95: [1.1, 1.4] as const, prompts: 40 },
  ...{ draft_acceptance_rate: 0.875, mean_acceptance_length: 2.4, c: null, tokens_per_second: 12 },
};

describe('measured figures in tables', () => {
  it('have a column each, in one order, under one heading', () => {
    expect(metricColumns().map(({ key }) => key)).toEqual(METRIC_NAMES);
    expect(metricColumns('c').map(({ key }) => key)).not.toContain('c');
    for (const name of METRIC_NAMES) expect(metricColumn(name).title).toBe(METRICS[name].heading);
  });

  it('have one form; what was not measured is left blank', () => {
    expect(figureCells(figures)).toMatchObject({
      ...{ speedup: '1.23x', speedup_ci95: '[1.10, 1.40]', draft_acceptance_rate: '87.5%' },
      ...{ mean_acceptance_length: '2.40', c: null, tokens_per_second: '12.0' },
    });
    expect(figureCells({ speedup: null, speedup_ci95: null, prompts: 1 })).toMatchObject({
      ...{ speedup: null, speedup_ci95: null, tokens_per_second: null },
    });
    expect(figureCells({ ...figures, prompts: 4 }).speedup_ci95).toBe('too few');
  });

  it('in a list have the same names', () => {
    const { c: _, ...told } = figures;
    expect(metricLines({ ...told, draft_acceptance_rate: null })).toEqual([
      ['draft acceptance rate', 'none'],
      ['mean acceptance length', '2.40'],
      ['tokens/s', '12.0'],
    ]);
  });
});
