import { describe, expect, it } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { precisions } from '../../src/graph/quantise.js';
import { randomCombination } from '../helpers/combinations.js';
import { demo, loadEngine } from '../helpers/engine.js';

// The same combinations over 100,000 tokens and several models: experiments/audit.ts.
describe('speculative output equals autoregressive output on the bundled model', () => {
  it.each(precisions)('over 700 tokens of random combinations in %s', async (precision) => {
    const engine = await loadEngine(demo, precision);
    let tokens = 0;
    let accepted = 0;
    for (let seed = precisions.indexOf(precision) * 1000; tokens < 700; seed++) {
      const { method, sampling, prompt, newTokens } = randomCombination(seed, engine.config);
      const request = { prompt, sampling, maxNewTokens: newTokens, ignoreEos: seed % 2 === 0 };
      const plain = await complete(engine, request);
      const speculative = await complete(engine, { ...request, method });
      expect(speculative.tokens, `seed ${seed}`).toEqual(plain.tokens);
      expect(speculative.finishReason).toBe(plain.finishReason);
      tokens += plain.tokens.length;
      accepted += speculative.statistics.acceptedTokens;
    }
    expect(accepted).toBeGreaterThan(50);
    await engine.close();
  });
});
