import type { Round } from './rounds.js';

/** Counts and times of one generation, or of several added up. */
export interface DecodeStatistics {
  newTokens: number;
  /** Time to the first token. */
  prefillSeconds: number;
  /** Time of the rounds, which is everything after the first token. */
  decodeSeconds: number;
  draftSeconds: number;
  targetSeconds: number;
  targetPasses: number;
  draftPasses: number;
  proposedTokens: number;
  acceptedTokens: number;
  /** Rounds that proposed at least i + 1 tokens whose first i were accepted. */
  reached: number[];
  /** Of those, rounds whose token i was accepted too. */
  acceptedAt: number[];
}

export function emptyStatistics(): DecodeStatistics {
  return {
    newTokens: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
    draftSeconds: 0,
    targetSeconds: 0,
    targetPasses: 0,
    draftPasses: 0,
    proposedTokens: 0,
    acceptedTokens: 0,
    reached: [],
    acceptedAt: [],
  };
}

/** Adds a round. */
export function addRound(statistics: DecodeStatistics, round: Round): void {
  statistics.newTokens += round.tokens.length;
  if (round.kind === 'prefill') {
    statistics.prefillSeconds += round.targetSeconds;
    return;
  }
  statistics.decodeSeconds += round.draftSeconds + round.targetSeconds;
  statistics.draftSeconds += round.draftSeconds;
  statistics.targetSeconds += round.targetSeconds;
  statistics.targetPasses += round.targetPasses;
  statistics.draftPasses += round.draftPasses;
  statistics.proposedTokens += round.drafted.length;
  statistics.acceptedTokens += round.accepted;
  addTried(statistics, round.drafted.length, round.accepted);
}

/** Adds what a round says of each offset in the draft. */
export function addTried(
  statistics: Pick<DecodeStatistics, 'reached' | 'acceptedAt'>,
  drafted: number,
  accepted: number,
): void {
  const tried = Math.min(accepted + 1, drafted);
  for (let i = 0; i < tried; i++) {
    statistics.reached[i] = (statistics.reached[i] ?? 0) + 1;
    statistics.acceptedAt[i] = (statistics.acceptedAt[i] ?? 0) + (i < accepted ? 1 : 0);
  }
}
