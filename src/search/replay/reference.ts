import { type CouplingName, createCoupling } from '../../decoding/coupling.js';
import { createLookupDrafter, createLookupMemory } from '../../decoding/drafters/lookup.js';
import { DEFAULT_LOOKUP_LENGTH } from '../../decoding/prompt-lookup.js';
import { decodeRounds, draftRoom } from '../../decoding/rounds.js';
import type { SamplingOptions } from '../../decoding/sampling/options.js';
import type { Engine } from '../../engine/engine.js';
import type { KvCache } from '../../engine/kv-cache.js';
import { ReplayInputs } from '../../engine/replay-inputs.js';

/** How the target continues a prompt. */
export interface ReferenceSettings {
  readonly maxNewTokens: number;
  readonly sampling: SamplingOptions;
  readonly coupling: CouplingName;
}

/**
 * The target's own continuation of a prompt, ready for replay.
 *
 * | symbol | meaning                                                                                          |
 * |--------|--------------------------------------------------------------------------------------------------|
 * | N      | places where a draft could start or go on: every new token but the last                           |
 * | i      | such a place: drafting there proposes the new token i + 1 from the new token i and all before     |
 */
export interface Reference {
  /** Position of the first new token. */
  readonly position: number;
  /** New tokens, [N + 1]. */
  readonly tokens: readonly number[];
  /** How many tokens a draft at place i may have, as in decoding: what is still wanted beside the target's own, within a segment. */
  readonly room: Int32Array;
  /** Queries at the N places. */
  readonly inputs: ReplayInputs;
  /** How far each place is from the start of its window, [N]: as many tokens a draft has before it there. */
  readonly offsets: Int32Array;
  readonly prompt: readonly number[];
  /** The full model's keys and values of prompt and new tokens. */
  readonly cache: KvCache;
}

/** Positions of a window. Drafts are mostly shorter; the phase of a prompt's windows is the same for all masks. */
const windowLength = 8;

/**
 * Decodes a prompt, where that was not done before, and keeps the keys and values. With lookups, which change nothing under Gumbel
 * coupling; the maximal one keeps only the distribution.
 * @param phase length of the first window, less 1; the others follow every {@link windowLength} positions.
 * @param known the continuation, where it was made before: then a prefill gives the same keys and values, to the bit.
 * @returns null when the continuation has a single token, so that nothing could be drafted.
 */
export async function makeReference(
  engine: Engine,
  prompt: readonly number[],
  { maxNewTokens, sampling, coupling: name }: ReferenceSettings,
  phase: number,
  known?: readonly number[],
): Promise<Reference | null> {
  const wanted = Math.min(maxNewTokens, engine.config.contextLength - prompt.length);
  const cache = engine.createCache(prompt.length + wanted);
  const longest = name === 'gumbel' ? DEFAULT_LOOKUP_LENGTH : 0;
  const coupling = createCoupling(name, sampling, engine.config.vocabSize, longest);
  const drafter =
    longest > 0 ? createLookupDrafter(createLookupMemory(undefined, 1), coupling, longest) : null;
  const eos = new Set(engine.config.eosTokenIds);
  const tokens: number[] = [...(known ?? [])];
  const request = { engine, cache, prompt, maxNewTokens: wanted, drafter, coupling, eos };
  if (!known) for await (const round of decodeRounds(request)) tokens.push(...round.tokens);
  const places = tokens.length - 1;
  if (places < 1) return null;
  if (known) await engine.prefill(cache, [...prompt, ...tokens.slice(0, places)]);
  const first = prompt.length;
  const starts = [first];
  for (let i = 1 + (phase % windowLength); i < places; i += windowLength) starts.push(first + i);
  return {
    position: first,
    tokens,
    room: Int32Array.from({ length: places }, (_, i) =>
      Math.min(places - i, draftRoom(first + i, first + wanted)),
    ),
    inputs: new ReplayInputs(engine.config, cache, {
      tokens: tokens.slice(0, places),
      first,
      starts,
    }),
    offsets: offsetsOf(starts, first, places),
    prompt,
    cache,
  };
}

/** @param starts positions where windows begin, ascending; the first is `first`. */
export function offsetsOf(starts: readonly number[], first: number, places: number): Int32Array {
  let window = 0;
  return Int32Array.from({ length: places }, (_, i) => {
    if (starts[window + 1] === first + i) window++;
    return first + i - starts[window]!;
  });
}
