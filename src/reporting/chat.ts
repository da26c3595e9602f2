import { stripVTControlCharacters } from 'node:util';
import type { DecodeStatistics } from '../decoding/statistics.js';
import { measureMetrics } from '../metrics/registry.js';
import { stderrColours } from './colours.js';
import { formatSeconds } from './format.js';
import { metricLines } from './metric-columns.js';
import { table } from './table.js';

/** Figures of one answer or of several. */
export interface ChatFigures {
  readonly answers: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly statistics: DecodeStatistics;
  readonly seconds: number;
}

/** The last answer beside all of them, for stderr. */
export function chatTable(last: ChatFigures, all: ChatFigures): string {
  const [one, sum] = [last, all].map(columnOf);
  const text = table(
    [{ key: 'figure' }, { key: 'last', title: 'last answer' }, { key: 'all' }],
    Object.entries(one).map(([figure, value]) => ({ figure, last: value, all: sum[figure] })),
  );
  // Tables are coloured for stdout.
  return stderrColours.level === 0 ? stripVTControlCharacters(text) : text;
}

function columnOf(figures: ChatFigures): Record<string, string> {
  const { answers, promptTokens, cachedTokens, statistics, seconds } = figures;
  const { newTokens, prefillSeconds } = statistics;
  // c is over a pass of autoregressive decoding, and there was none.
  const { c: _, ...metrics } = measureMetrics({ ...statistics, generations: answers }, null);
  return {
    answers: String(answers),
    'prompt tokens': `${promptTokens}, ${cachedTokens} of them known`,
    'time to first token': formatSeconds(prefillSeconds),
    'new tokens': String(newTokens),
    accepted: `${statistics.acceptedTokens} of ${statistics.proposedTokens} proposed tokens`,
    ...Object.fromEntries(metricLines(metrics)),
    time: formatSeconds(seconds),
  };
}
