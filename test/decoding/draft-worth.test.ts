import { describe, expect, it } from 'vitest';
import { createDraftWorth } from '../../src/decoding/draft-worth.js';
import { Random } from '../../src/random.js';

const costsOf = (draft: number, timePerToken: number) => ({
  draft,
  verify: Array.from({ length: 9 }, (_, n) => 1 + 0.1 * n),
  timePerToken,
});

describe('the worth of drafts', () => {
  it.each([
    [0.5, 1.01],
    [0.2, 0.7],
    [0.05, 0.3],
  ])('is what the profile promises at first: a pass of %f, %f a token', (draft, timePerToken) => {
    const worth = createDraftWorth(costsOf(draft, timePerToken));
    expect(worth.gain(timePerToken)).toBeCloseTo(1 - timePerToken);
  });

  it('follows what drafts came to, and fades to the promise while there are none', () => {
    const worth = createDraftWorth(costsOf(0.3, 0.8));
    const promised = worth.gain(0.9);
    for (let round = 0; round < 20; round++) worth.verified(2, 0, 2);
    const bad = worth.gain(0.9);
    expect(bad).toBeLessThan(0);
    expect(bad).toBeLessThan(promised);
    for (let round = 0; round < 6000; round++) worth.idle();
    expect(worth.gain(0.9)).toBeCloseTo(promised, 1);
    for (let round = 0; round < 20; round++) worth.verified(2, 2, 2);
    expect(worth.gain(0.9)).toBeGreaterThan(promised);
  });

  it('seldom gives up what gains, for bad luck, and soon what does not', () => {
    const costs = costsOf(0.3, 0.9);
    /** Of walks, each until the drafts are given up or for 300 rounds, the share that went on. */
    const kept = (acceptance: number) => {
      const walks = Array.from({ length: 200 }, (_, seed) => {
        const random = new Random(seed);
        const worth = createDraftWorth(costs);
        for (let round = 0; round < 300; round++) {
          const first = random.uniform() < acceptance;
          worth.verified(2, Number(first) + Number(first && random.uniform() < acceptance), 2);
          if (worth.gain(1) <= 0) return 0;
        }
        return 1;
      });
      return walks.reduce<number>((sum, one) => sum + one, 0) / walks.length;
    };
    // A round costs 1.8: what is accepted six times in ten gains 0.16 tokens, half of the time loses 0.05.
    expect(kept(0.6)).toBeGreaterThan(0.8);
    expect(kept(0.5)).toBeLessThan(0.3);
  });

  it('counts the passes that there were: what was looked up cost none', () => {
    const [drafted, looked] = [4, 1].map((passes) => {
      const worth = createDraftWorth(costsOf(0.3, 0.8));
      for (let round = 0; round < 20; round++) worth.verified(4, 2, passes);
      return worth.gain(0.9);
    });
    expect(looked).toBeGreaterThan(drafted!);
  });
});
