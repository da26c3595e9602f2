import { type DecodeStatistics, emptyStatistics } from '../decoding/statistics.js';
import type { Sample } from './run.js';

/** Counts and times of generations added up; lists by offset element by element. */
export function sumStatistics(samples: readonly Pick<Sample, 'statistics'>[]): DecodeStatistics {
  const sum = emptyStatistics();
  for (const { statistics } of samples) {
    sum.newTokens += statistics.newTokens;
    sum.prefillSeconds += statistics.prefillSeconds;
    sum.decodeSeconds += statistics.decodeSeconds;
    sum.draftSeconds += statistics.draftSeconds;
    sum.targetSeconds += statistics.targetSeconds;
    sum.targetPasses += statistics.targetPasses;
    sum.draftPasses += statistics.draftPasses;
    sum.proposedTokens += statistics.proposedTokens;
    sum.acceptedTokens += statistics.acceptedTokens;
    addTo(sum.reached, statistics.reached);
    addTo(sum.acceptedAt, statistics.acceptedAt);
  }
  return sum;
}

function addTo(sum: number[], list: readonly number[]): void {
  list.forEach((value, i) => {
    sum[i] = (sum[i] ?? 0) + value;
  });
}
