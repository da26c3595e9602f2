/**
 * How fast this machine decodes without speculation: what a speedup is told against. It is measured, by decoding some tokens one
 * at a time, when the server starts and again when it has nothing to do and the last time is long ago. The context is a short one;
 * at a longer one autoregressive decoding is slower, so that a long conversation's speedup is told too low rather than too high.
 */
import { median } from 'simple-statistics';
import { generate } from '../decoding/generate.js';
import type { Engine } from '../engine/engine.js';

import { Random } from '../random.js';

const CONTEXT = 64;
/** Passes before those that count: caches and threads settle. */
const SETTLING = 4;
const LEAST_PASSES = 8;
const MOST_PASSES = 64;
const SECONDS = 0.5;
/** How old a measurement may become. */
const STALE_SECONDS = 600;

/** The rate of autoregressive decoding. */
export interface Baseline {
  /** Of half of the passes as fast or faster; null before the first measurement, and where the context is too short for one. */
  readonly tokensPerSecond: number | null;
  readonly isStale: boolean;
  measure(): Promise<void>;
}

export function createBaseline(engine: Engine): Baseline {
  let tokensPerSecond: number | null = null;
  let measured = Number.NEGATIVE_INFINITY;
  const { contextLength, vocabSize } = engine.config;
  const room = contextLength - SETTLING - MOST_PASSES - 1;
  return {
    get tokensPerSecond() {
      return tokensPerSecond;
    },
    get isStale() {
      return performance.now() - measured > STALE_SECONDS * 1000;
    },
    async measure() {
      measured = performance.now();
      if (room < 1) return;
      const random = new Random(1);
      const prompt = Array.from({ length: Math.min(CONTEXT, room) }, () =>
        random.integer(vocabSize),
      );
      const maxNewTokens = SETTLING + MOST_PASSES + 1;
      const seconds: number[] = [];
      for await (const { round } of generate(engine, { prompt, maxNewTokens, ignoreEos: true })) {
        if (round?.kind === 'round') seconds.push(round.targetSeconds);
        const counted = seconds.length - SETTLING;
        if (counted >= LEAST_PASSES && performance.now() - measured > SECONDS * 1000) break;
      }
      tokensPerSecond = 1 / median(seconds.slice(SETTLING));
    },
  };
}
