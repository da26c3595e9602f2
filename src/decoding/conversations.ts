/**
 * The keys and values of the last conversations. A prompt that begins as one of them did takes its cache over and runs only
 * what is new. The text does not change by it: where the self-check holds, a pass over the rest of a prompt gives the bits
 * that a pass over all of it gives.
 */
import type { Engine } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';

/** A cache, and the tokens from the sequence's first whose keys and values it holds. */
export interface Conversation {
  readonly cache: KvCache;
  readonly held: number[];
}

export interface Conversations {
  /**
   * A cache with room for `capacity` tokens that holds as much of the prompt as is known. It belongs to the caller, who
   * keeps `held` true to what the cache holds, until it is given back.
   */
  take(prompt: readonly number[], capacity: number): Conversation;
  give(conversation: Conversation): void;
}

/** A conversation of which this share goes on is the same one; else another that begins alike, such as with one system message. */
const SAME = 0.5;

/** @param most conversations that are kept; 0 keeps none. */
export function createConversations(engine: Engine, most: number): Conversations {
  /** Those that nobody has, the one that was used last at the end. */
  const kept: Conversation[] = [];

  const longestPrefix = (prompt: readonly number[]) => {
    let best: Conversation | undefined;
    let shared = 0;
    for (const one of kept) {
      const length = commonPrefix(one.held, prompt);
      if (length > shared) [best, shared] = [one, length];
    }
    return { best, shared };
  };

  return {
    take(prompt, capacity) {
      const { best, shared } = longestPrefix(prompt);
      const goesOn = best !== undefined && shared >= SAME * best.held.length;
      const old = goesOn ? best : kept.length < most ? undefined : kept[0];
      if (old) kept.splice(kept.indexOf(old), 1);
      // A conversation goes on: room for more than this time is asked for saves copying it the next.
      const room = Math.max(capacity, old && goesOn ? 2 * old.cache.capacity : 0);
      const cache = old && old.cache.capacity >= capacity ? old.cache : engine.createCache(room);
      if (best && best.cache !== cache) cache.copy(best.cache, shared);
      return { cache, held: prompt.slice(0, shared) };
    },
    give(conversation) {
      if (most === 0) return;
      kept.push(conversation);
      if (kept.length > most) kept.shift();
    },
  };
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
