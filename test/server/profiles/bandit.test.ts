import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.js';
import { createBandit } from '../../../src/server/profiles/bandit.js';

/** Pulls arms whose generations of 50 tokens cost these prices, give or take; returns the choices. */
function pull(
  promised: readonly number[],
  prices: Record<string, readonly number[]>,
  times: number,
) {
  const bandit = createBandit(promised);
  const random = new Random(3);
  const chosen: Record<string, number[]> = {};
  for (let time = 0; time < times; time++)
    for (const [kind, of] of Object.entries(prices)) {
      const arm = bandit.choose(kind);
      chosen[kind] = [...(chosen[kind] ?? []), arm];
      bandit.learn(kind, arm, 50, 50 * of[arm]! * (0.8 + 0.4 * random.uniform()));
    }
  return chosen;
}

const share = (arms: readonly number[], arm: number) =>
  arms.filter((one) => one === arm).length / arms.length;

describe('the choice of a profile', () => {
  it('finds for each kind of text the one that costs least there', () => {
    const prices = { code: [0.6, 0.9, 1], prose: [1.1, 0.7, 1] };
    const chosen = pull([0.8, 0.8, 1], prices, 200);
    expect(share(chosen.code!.slice(100), 0)).toBeGreaterThan(0.9);
    expect(share(chosen.prose!.slice(100), 1)).toBeGreaterThan(0.9);
    // What is worse is tried, too, but seldom.
    expect(chosen.code).toContain(1);
  });

  it('begins with what is promised, and does not believe it for long', () => {
    const chosen = pull([0.5, 0.9], { prose: [1.05, 0.75] }, 60).prose!;
    expect(chosen[0]).toBe(0);
    expect(share(chosen.slice(30), 1)).toBeGreaterThan(0.9);
  });

  it('is the same for the same requests', () => {
    const run = () => pull([0.8, 0.8], { a: [0.8, 0.75], b: [0.7, 0.8] }, 50);
    expect(run()).toEqual(run());
  });
});
