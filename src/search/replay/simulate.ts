import { createDraftExit, type DraftExit } from '../../decoding/draft-exit.js';
import { type DraftPrices, roundSeconds } from '../cost/cost-model.js';
import { proposalsAt, type ReplayRecord } from './records.js';

/** Rounds that decoding some prompts would take. */
export interface SimulatedRounds {
  /** Tokens after the first of each prompt. */
  tokens: number;
  /** Rounds by drafted tokens, from 0. */
  readonly rounds: Float64Array;
  proposed: number;
  accepted: number;
}

/**
 * The rounds of decoding with a draft-length rule, from what replay recorded, without another pass. The rule itself is the
 * decoder's. Two things are estimates: a place was replayed in one window, at another offset than the round may reach it at (with
 * memories, the first token of a draft is known as such);
 * and after a rejected token a real draft runs on from its own wrong token, replay from the right one.
 * @param draftLength K
 */
export function simulateRounds(
  records: readonly ReplayRecord[],
  rule: DraftExit,
  draftLength: number,
): SimulatedRounds {
  const rounds = new Float64Array(draftLength + 1);
  const result = { tokens: 0, rounds, proposed: 0, accepted: 0 };
  for (const record of records) {
    const { match, room } = record;
    const exit = createDraftExit(rule, draftLength);
    const places = match.length;
    result.tokens += places;
    for (let at = 0; at < places; ) {
      const limit = Math.min(draftLength, room[at]!);
      let drafted = 0;
      let accepted = 0;
      while (drafted < limit) {
        const { match, confidence } = proposalsAt(record, drafted);
        const place = at + drafted;
        if (accepted === drafted) accepted += match[place]!;
        drafted++;
        if (exit.shouldStop(drafted, confidence[place]!)) break;
      }
      exit.afterVerify(drafted, accepted);
      rounds[drafted]!++;
      result.proposed += drafted;
      result.accepted += accepted;
      at += accepted + 1;
    }
  }
  return result;
}

/** Predicted seconds of simulated rounds, of autoregressive decoding of the same tokens, and their ratio. */
export interface PredictedTime {
  readonly seconds: number;
  readonly autoregressiveSeconds: number;
  readonly speedup: number;
}

/** Prices simulated rounds. */
export function priceRounds(
  { rounds, tokens }: SimulatedRounds,
  prices: DraftPrices,
): PredictedTime {
  let seconds = 0;
  for (const [n, count] of rounds.entries()) seconds += count * roundSeconds(prices, n, n);
  const autoregressiveSeconds = tokens * prices.autoregressive;
  return { seconds, autoregressiveSeconds, speedup: autoregressiveSeconds / seconds };
}
