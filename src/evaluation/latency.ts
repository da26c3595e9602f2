/** How long a reader waits: for the first token, for each after it, and for the whole answer. */
import { quantile } from 'simple-statistics';
import type { Sample } from './run.js';

/** Of seconds, as results have them; null where so few values were measured that none would lie above. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** Fewest values that a percentile is told of. */
const FEWEST = { p90: 10, p99: 100 } as const;

/** Latencies of generations, in seconds. */
export interface Latencies {
  /** From the call to the first token: the prefill. */
  readonly first_token: Percentiles;
  /** Of each token after the first; null where there is none. The tokens of a round share its time. */
  readonly token: Percentiles | null;
  /** From the call to the last token. */
  readonly request: Percentiles;
}

type Timed = Pick<Sample, 'tokens' | 'statistics' | 'rounds' | 'elapsedSeconds'>;

/** Percentiles over generations, and over their tokens; null where there is no generation. */
export function latencies(samples: readonly Timed[]): Latencies | null {
  if (samples.length === 0) return null;
  const tokens = samples.flatMap(tokenSeconds);
  return {
    first_token: percentiles(samples.map(({ statistics }) => statistics.prefillSeconds)),
    token: tokens.length === 0 ? null : percentiles(tokens),
    request: percentiles(
      samples.map(({ statistics, elapsedSeconds }) => statistics.prefillSeconds + elapsedSeconds),
    ),
  };
}

/** Seconds of each token after the first. The last round may have emitted more than the output has. */
export function tokenSeconds({ tokens, rounds }: Timed): number[] {
  const seconds: number[] = [];
  for (const [i, accepted] of rounds.accepted.entries()) {
    const count = Math.min(accepted + 1, tokens.length - 1 - seconds.length);
    const each = (rounds.draftSeconds[i] + rounds.targetSeconds[i]) / count;
    for (let token = 0; token < count; token++) seconds.push(each);
  }
  return seconds;
}

function percentiles(seconds: readonly number[]): Percentiles {
  const [p50, p90, p99] = quantile([...seconds], [0.5, 0.9, 0.99]);
  const { length } = seconds;
  return {
    p50,
    p90: length < FEWEST.p90 ? null : p90,
    p99: length < FEWEST.p99 ? null : p99,
  };
}
