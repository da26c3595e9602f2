import type { z } from 'zod';

/** What some generations with one method counted and timed, added up. */
export interface MetricCounts {
  /** How many they are; the first token of each comes with its prefill. */
  readonly generations: number;
  readonly newTokens: number;
  /** Of everything after the first tokens. */
  readonly decodeSeconds: number;
  readonly draftSeconds: number;
  readonly targetSeconds: number;
  readonly targetPasses: number;
  readonly draftPasses: number;
  readonly proposedTokens: number;
  readonly acceptedTokens: number;
}

/** How a value is written: a share of 1 in per cent, or a number with so many digits after the point. */
export type MetricFormat = 'percent' | 1 | 2 | 3;

/** A figure of a decoding method over prompts: a file in this folder and a line in registry.ts. */
export interface Metric {
  /** In every table, whatever its form. */
  readonly heading: string;
  /** In a terminal that is too narrow for that. Default: the same. */
  readonly shortHeading?: string;
  /** What it says, for those who read a report. */
  readonly meaning: string;
  readonly format: MetricFormat;
  /** What files may have for it. */
  readonly schema: z.ZodNumber;
  /** Whether it also takes what autoregressive decoding did with the same prompts. */
  readonly needsBaseline: boolean;
  /** @returns null where there is nothing to divide by. */
  measure(own: MetricCounts, baseline: MetricCounts): number | null;
}

/** Null where there is nothing to divide by. */
export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
