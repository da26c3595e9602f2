import { describe, expect, it } from 'vitest';
import {
  checkSamplingOptions,
  GREEDY,
  type SamplingOptions,
} from '../../../src/decoding/sampling/options.js';
import { InputError } from '../../../src/errors.js';

describe('checkSamplingOptions', () => {
  const good: Partial<SamplingOptions>[] = [
    {},
    { temperature: 2.5, topK: 50, topP: 0.9, minP: 0.05, seed: -7 },
    { minP: 1, topP: Number.MIN_VALUE, seed: Number.MAX_SAFE_INTEGER },
  ];
  it.each(good)('takes %o', (change) => {
    expect(() => checkSamplingOptions({ ...GREEDY, ...change })).not.toThrow();
  });

  const bad: [Partial<SamplingOptions>, string][] = [
    [{ temperature: -0.1 }, 'temperature'],
    [{ temperature: Number.POSITIVE_INFINITY }, 'temperature'],
    [{ temperature: Number.NaN }, 'temperature'],
    [{ topK: -1 }, 'top_k'],
    [{ topK: 1.5 }, 'top_k'],
    [{ topP: 0 }, 'top_p'],
    [{ topP: 1.01 }, 'top_p'],
    [{ topP: Number.NaN }, 'top_p'],
    [{ minP: -0.01 }, 'min_p'],
    [{ minP: 1.01 }, 'min_p'],
    [{ seed: 0.5 }, 'seed'],
    [{ seed: 2 ** 53 }, 'seed'],
  ];
  it.each(bad)('refuses %o, naming the field', (change, field) => {
    const check = () => checkSamplingOptions({ ...GREEDY, ...change });
    expect(check).toThrow(InputError);
    expect(check).toThrow(field);
  });
});
