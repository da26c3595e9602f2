import { stripVTControlCharacters } from 'node:util';
import {
  type DecodeStatistics,
  draftAcceptanceRate,
  meanAcceptanceLength,
} from '../decoding/statistics.js';
import { stderrColours } from './colours.js';
import { formatPercent, formatSeconds } from './format.js';
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
  const { newTokens, prefillSeconds, decodeSeconds } = statistics;
  const rate = (newTokens - answers) / decodeSeconds;
  const known = (value: number, format: (value: number) => string) =>
    Number.isFinite(value) ? format(value) : 'none';
  return {
    answers: String(answers),
    'prompt tokens': `${promptTokens}, ${cachedTokens} of them known`,
    'time to first token': formatSeconds(prefillSeconds),
    'new tokens': String(newTokens),
    'decoding speed': known(rate, (x) => `${x.toFixed(1)} tokens/s`),
    accepted: `${statistics.acceptedTokens} of ${statistics.proposedTokens} proposed tokens`,
    'draft acceptance rate': known(draftAcceptanceRate(statistics), formatPercent),
    'mean acceptance length': known(meanAcceptanceLength(statistics, answers), (x) => x.toFixed(2)),
    time: formatSeconds(seconds),
  };
}
