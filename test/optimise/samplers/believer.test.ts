import { describe, expect, it } from 'vitest';
import { candidateKey, type SearchSpace } from '../../../src/optimise/candidate.js';
import { GaussianProcess } from '../../../src/optimise/gp/model.js';
import { believing } from '../../../src/optimise/samplers/believer.js';
import { createBoSampler } from '../../../src/optimise/samplers/bo.js';
import { Random } from '../../../src/random.js';
import { FIXED_RULE } from '../landscapes.js';
import { randomCandidate, randomObservations } from '../oracle.js';

const space: SearchSpace = { bits: 24, draft: FIXED_RULE };

/** A sampler that was told 40 trials of a landscape of single bits. */
function informed(seed: number) {
  const random = new Random(seed);
  const sampler = createBoSampler(space, seed, []);
  for (let i = 0; i < 40; i++) {
    const candidate = randomCandidate(space, random);
    sampler.tell(
      candidate,
      candidate.mask.reduce((sum, bit, j) => sum + bit * Math.cos(j), 0),
    );
  }
  return sampler;
}

it('a model believes what it expects: means stay, and doubt goes', () => {
  const random = new Random(3);
  const told = randomObservations(space, 30, random);
  const current = GaussianProcess.fit(space.bits, told);
  const running = Array.from({ length: 3 }, () => randomCandidate(space, random));
  const { gp, held } = believing(current, told, running);
  expect(held).toHaveLength(33);
  expect(current.count).toBe(30);
  for (const candidate of [...running, randomCandidate(space, random)])
    expect(gp.posterior(candidate).mean).toBeCloseTo(current.posterior(candidate).mean, 8);
  for (const candidate of running) {
    const { variance } = current.posterior(candidate);
    expect(gp.posterior(candidate).variance).toBeLessThan(variance / 1.5);
  }
  expect(believing(current, told, []).gp).toBe(current);
});

describe('a bo sampler that is asked while trials run', () => {
  it('proposes a batch without repeats', () => {
    for (let seed = 0; seed < 4; seed++) {
      const sampler = informed(seed);
      const batch = Array.from({ length: 8 }, () => sampler.ask());
      expect(new Set(batch.map(candidateKey)).size).toBe(8);
    }
  });

  it('takes what it is told to expect as if it had proposed it', () => {
    const [asked, resumed] = [informed(5), informed(5)];
    const first = asked.ask();
    resumed.expect?.(first);
    expect(candidateKey(resumed.ask())).toBe(candidateKey(asked.ask()));
    expect(candidateKey(informed(5).ask())).toBe(candidateKey(first));
  });
});
