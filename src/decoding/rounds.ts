/**
 * The decoding loop: draft, verify in one target pass, keep the longest accepted prefix and one token of the target's
 * own (Zhang et al. 2023, section 3, algorithm 2; Leviathan et al. 2023, algorithm 1). Autoregressive decoding is the
 * same loop without a drafter: rounds of no draft.
 *
 * symbol   | meaning
 * ---------|---------------------------------------------------------------------------------
 * n        | drafted tokens d_1 .. d_n of a round
 * position | place of the last emitted token, whose keys and values are not in the cache yet
 *
 * The cache holds the full model's keys and values of everything before `position`. A draft writes its own from there
 * on; the target pass over [last, d_1 .. d_n] writes over all of them, so a rejection is undone by going on from an
 * earlier position.
 */
import { type Engine, segmentRoom } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import { type Coupling, NONE } from './coupling.js';
import type { Draft, Drafter } from './drafter.js';
import { type EmittedLogprob, emittedLogprob } from './logprobs.js';

/** What one round did. The first event of a generation is the prefill: one token, nothing drafted. */
export interface Round {
  readonly kind: 'prefill' | 'round';
  /** Place of the first emitted token in the sequence. */
  readonly position: number;
  /** Emitted tokens: the accepted ones, then the target's own (cut after an end-of-sequence token). */
  readonly tokens: readonly number[];
  /** Proposed tokens. */
  readonly drafted: readonly number[];
  /** The draft's probability of each proposed token. */
  readonly confidences: readonly number[];
  /** How many of the proposed tokens were emitted. */
  readonly accepted: number;
  readonly draftPasses: number;
  readonly targetPasses: number;
  readonly draftSeconds: number;
  /** The target pass; of the prefill event, the whole prefill. */
  readonly targetSeconds: number;
  /** One for each emitted token, where the request asked for them. */
  readonly logprobs?: readonly EmittedLogprob[];
}

/** What to decode, and with what. */
export interface RoundsRequest {
  readonly engine: Engine;
  /** Room for prompt and output; what it held before does not matter. */
  readonly cache: KvCache;
  /** At least one token. */
  readonly prompt: readonly number[];
  /** Tokens of the prompt, from its first, whose keys and values the cache holds. Default: none. */
  readonly cachedTokens?: number;
  /** Most tokens to emit, at least 1; prompt and output together must fit the cache. */
  readonly maxNewTokens: number;
  /** null decodes autoregressively. */
  readonly drafter: Drafter | null;
  readonly coupling: Coupling;
  /** Tokens after which the sequence ends; they are emitted. */
  readonly eos: ReadonlySet<number>;
  /** Most probable tokens that are told beside each emitted one, with log-probabilities. Default: no log-probabilities at all. */
  readonly topLogprobs?: number | undefined;
}

/**
 * Most tokens that a round at `position` may draft: it emits one more than it accepts, and verifies in one pass, which does not go over
 * the end of a segment.
 * @param end position behind the last token that is wanted.
 */
export function draftRoom(position: number, end: number): number {
  return Math.min(end - position - 2, segmentRoom(position) - 1);
}

/** Decodes round by round until an end-of-sequence token or the wanted number of tokens. */
export async function* decodeRounds(request: RoundsRequest): AsyncGenerator<Round, void, void> {
  const { engine, cache, prompt, maxNewTokens, drafter, coupling, eos, topLogprobs } = request;
  const vocabulary = engine.config.vocabSize;
  const needsLogits = !coupling.isGreedy || topLogprobs !== undefined || !engine.tellsMostProbable;
  const logprobsOf = (tokens: readonly number[]) =>
    topLogprobs === undefined
      ? {}
      : {
          logprobs: tokens.map((token, row) =>
            emittedLogprob(logits, row * vocabulary, vocabulary, token, topLogprobs),
          ),
        };
  let started = performance.now();
  let logits = await engine.prefill(cache, prompt, request.cachedTokens);
  let last = coupling.verify(logits, 0, prompt.length, 0, NONE);
  let position = prompt.length;
  yield {
    kind: 'prefill',
    position,
    tokens: [last],
    drafted: [],
    confidences: [],
    accepted: 0,
    draftPasses: 0,
    targetPasses: 0,
    draftSeconds: 0,
    targetSeconds: (performance.now() - started) / 1000,
    ...logprobsOf([last]),
  };
  drafter?.keep(prompt);
  drafter?.keep([last]);

  const longest = drafter?.longest ?? 0;
  const draft: Draft = {
    length: 0,
    tokens: new Int32Array(longest),
    confidences: new Float64Array(longest),
    passes: 0,
  };
  const inputs = Array.from({ length: longest + 1 }, (_, n) => new Int32Array(n + 1));
  const end = prompt.length + maxNewTokens;
  while (!eos.has(last) && position + 1 < end) {
    started = performance.now();
    draft.length = 0;
    draft.passes = 0;
    const limit = Math.min(longest, draftRoom(position, end));
    if (drafter && limit > 0) await drafter.propose(draft, last, position, limit);
    const n = draft.length;
    const drafted = performance.now();

    const input = inputs[n]!;
    input[0] = last;
    for (let i = 0; i < n; i++) input[i + 1] = draft.tokens[i]!;
    const best = needsLogits ? null : await engine.mostProbable(cache, input, position);
    if (!best) logits = await engine.forward(cache, input, position, engine.target, 'all');
    const tokens: number[] = [];
    let accepted = 0;
    for (;;) {
      const proposed = accepted < n ? draft.tokens[accepted]! : NONE;
      last = best
        ? best[accepted]!
        : coupling.verify(
            logits,
            accepted * vocabulary,
            position + 1 + accepted,
            accepted,
            proposed,
          );
      tokens.push(last);
      if (last !== proposed) break;
      accepted++;
      if (eos.has(last)) break;
    }
    drafter?.verified(n, accepted);
    drafter?.keep(tokens);
    const verified = performance.now();
    yield {
      kind: 'round',
      position: position + 1,
      tokens,
      drafted: Array.from(draft.tokens.subarray(0, n)),
      confidences: Array.from(draft.confidences.subarray(0, n)),
      accepted,
      draftPasses: draft.passes,
      targetPasses: 1,
      draftSeconds: (drafted - started) / 1000,
      targetSeconds: (verified - drafted) / 1000,
      ...logprobsOf(tokens),
    };
    position += tokens.length;
  }
}
