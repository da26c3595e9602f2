import type { Sample } from './run.js';
import { sumStatistics } from './totals.js';

/** A method's figures of each repetition by itself: how much they spread. Element r belongs to repetition r. */
export interface RepetitionFigures {
  readonly tokens_per_second: readonly (number | null)[];
  /** Autoregressive time per token over the method's, both of that repetition. */
  readonly speedup: readonly (number | null)[];
}

/** @param plain the autoregressive samples of the same prompts. */
export function repetitionFigures(
  repetitions: number,
  samples: readonly Sample[],
  plain: readonly Sample[],
): RepetitionFigures {
  const rates = (all: readonly Sample[]) =>
    Array.from({ length: repetitions }, (_, r) => {
      const own = all.filter(({ repetition }) => repetition === r);
      const { newTokens, decodeSeconds } = sumStatistics(own);
      // The first token of each comes with the prefill.
      return decodeSeconds > 0 ? (newTokens - own.length) / decodeSeconds : null;
    });
  const [own, baseline] = [rates(samples), rates(plain)];
  return {
    tokens_per_second: own,
    speedup: own.map((rate, r) => {
      const other = baseline[r];
      return rate === null || !other ? null : rate / other;
    }),
  };
}
