import { stripVTControlCharacters } from 'node:util';
import type { FinishReason } from '../decoding/generate.js';
import type { DecodeStatistics } from '../decoding/statistics.js';
import { type Metrics, measureMetrics } from '../metrics/registry.js';
import { stderrColours } from './colours.js';
import { formatBytes, formatSeconds } from './format.js';
import { metricLines } from './metric-columns.js';
import { table } from './table.js';

/** The figures of one generation as they stand in JSON; null where there is nothing to divide by. */
export interface GenerationFigures extends Omit<Metrics, 'c'> {
  /** From the call to the last token; loading the model is not in it. */
  readonly wall_seconds: number;
  /** Time to the first token. */
  readonly prefill_seconds: number;
  readonly decode_seconds: number;
  readonly target_passes: number;
  readonly draft_passes: number;
  readonly proposed_tokens: number;
  readonly accepted_tokens: number;
  /** The most memory that the process ever held. */
  readonly peak_memory_bytes: number;
}

/** What `sspec generate --json` prints. */
export interface GenerateDocument {
  readonly model: string;
  readonly precision: string;
  readonly method: string;
  readonly prompt_tokens: number;
  /** The new ones. */
  readonly token_ids: readonly number[];
  /** null for a model without a tokenizer. */
  readonly text: string | null;
  readonly finish_reason: FinishReason;
  readonly stats: GenerationFigures;
}

/**
 * @param wallSeconds time of the whole generation.
 * @param generations how many are added up.
 */
export function generationFigures(
  statistics: DecodeStatistics,
  wallSeconds: number,
  generations = 1,
): GenerationFigures {
  // c is over a pass of autoregressive decoding, and there was none.
  const {
    c: _,
    tokens_per_second,
    ...metrics
  } = measureMetrics({ ...statistics, generations }, null);
  return {
    wall_seconds: wallSeconds,
    prefill_seconds: statistics.prefillSeconds,
    decode_seconds: statistics.decodeSeconds,
    tokens_per_second,
    target_passes: statistics.targetPasses,
    draft_passes: statistics.draftPasses,
    proposed_tokens: statistics.proposedTokens,
    accepted_tokens: statistics.acceptedTokens,
    ...metrics,
    peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** The figures as a table for stderr. */
export function figuresTable({
  method,
  prompt_tokens,
  token_ids,
  stats: figures,
}: Pick<GenerateDocument, 'method' | 'prompt_tokens' | 'token_ids' | 'stats'>): string {
  const prompt = `${prompt_tokens} tokens in ${formatSeconds(figures.prefill_seconds)}`;
  return tableOf(
    [
      ['method', method],
      ['prompt', prompt],
    ],
    token_ids.length,
    figures,
  );
}

/** Those of many generations added up. */
export function answersTable(
  method: string,
  newTokens: number,
  figures: GenerationFigures,
): string {
  return tableOf(
    [
      ['method', method],
      ['prompts', formatSeconds(figures.prefill_seconds)],
    ],
    newTokens,
    figures,
  );
}

function tableOf(
  head: readonly [string, string][],
  newTokens: number,
  figures: GenerationFigures,
): string {
  const rows: [string, string][] = [
    ...head,
    ['new tokens', `${newTokens} in ${formatSeconds(figures.decode_seconds)} after the first`],
    ['target passes', String(figures.target_passes)],
    ['draft passes', String(figures.draft_passes)],
    ['accepted', `${figures.accepted_tokens} of ${figures.proposed_tokens} proposed tokens`],
    ...metricLines(figures),
    ['peak memory', formatBytes(figures.peak_memory_bytes)],
  ];
  const text = table(
    [
      { key: 'figure', title: 'figure' },
      { key: 'value', title: 'value' },
    ],
    rows.map(([figure, value]) => ({ figure, value })),
  );
  // Tables are coloured for stdout.
  return stderrColours.level === 0 ? stripVTControlCharacters(text) : text;
}
