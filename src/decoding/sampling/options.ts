import { InputError } from '../../errors.js';

/** How tokens are chosen from logits. The filters apply in the order temperature, top-k, top-p, min-p. */
export interface SamplingOptions {
  /** Divides the logits; 0 is greedy decoding (the filters then change nothing). */
  readonly temperature: number;
  /** Keep the k most probable tokens; 0 is off. */
  readonly topK: number;
  /** Keep the smallest set of most probable tokens whose mass reaches p; 1 is off. */
  readonly topP: number;
  /** Keep tokens with at least this share of the most probable token's probability; 0 is off. */
  readonly minP: number;
  /** Same seed, same logits: same tokens. Any safe integer, negative ones included. */
  readonly seed: number;
}

/** Greedy decoding: what holds where nothing else is asked for. */
export const GREEDY: SamplingOptions = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

function demand(holds: boolean, field: string, value: number, wanted: string): void {
  if (!holds) throw new InputError(`Sampling option ${field} is ${value}: give ${wanted}.`);
}

/**
 * Checks the ranges of sampling options that come from flags or files.
 * @throws InputError naming the first option that is out of its range.
 */
export function checkSamplingOptions(options: SamplingOptions): void {
  const { temperature, topK, topP, minP, seed } = options;
  demand(
    Number.isFinite(temperature) && temperature >= 0,
    'temperature',
    temperature,
    'a finite number of 0 (greedy) or more',
  );
  demand(
    Number.isSafeInteger(topK) && topK >= 0,
    'top_k',
    topK,
    'a whole number of 0 (off) or more',
  );
  demand(topP > 0 && topP <= 1, 'top_p', topP, 'a number above 0 and up to 1 (off)');
  demand(minP >= 0 && minP <= 1, 'min_p', minP, 'a number from 0 (off) to 1');
  demand(
    Number.isSafeInteger(seed),
    'seed',
    seed,
    'a whole number between -(2^53 - 1) and 2^53 - 1',
  );
}
