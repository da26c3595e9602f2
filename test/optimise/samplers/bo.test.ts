import { describe, expect, it } from 'vitest';
import { candidateKey, type SearchSpace } from '../../../src/optimise/candidate.js';
import { logExpectedImprovement } from '../../../src/optimise/gp/logei.js';
import { GaussianProcess } from '../../../src/optimise/gp/model.js';
import { Acquisition } from '../../../src/optimise/samplers/acquisition.js';
import { createBoSampler } from '../../../src/optimise/samplers/bo.js';
import { climb } from '../../../src/optimise/samplers/local-search.js';
import { applyMove, movesFrom } from '../../../src/optimise/samplers/neighbourhood.js';
import { TrustRegion } from '../../../src/optimise/samplers/trust-region.js';
import { Random } from '../../../src/random.js';
import {
  FIXED_RULE,
  maskOf,
  pairwiseLandscape,
  runLocalSearch,
  runSampler,
} from '../landscapes.js';
import { randomCandidate, randomObservations } from '../oracle.js';

const searched: SearchSpace = { bits: 12, draft: 'search' };
const fixed: SearchSpace = { bits: 12, draft: FIXED_RULE };

describe('acquisition', () => {
  it('values neighbours as the model does, and its bounds hold', () => {
    const random = new Random(4);
    const model = GaussianProcess.fit(12, randomObservations(searched, 40, random));
    const acquisition = new Acquisition(model);
    const base = acquisition.base(randomCandidate(searched, random));
    const { mean, sd } = model.scale;
    for (const move of movesFrom(base.candidate, searched, random)) {
      const [value] = acquisition.exact(base, [move]);
      const posterior = model.posterior(applyMove(base.candidate, move));
      const spread = Math.sqrt(posterior.variance) / sd;
      const direct = logExpectedImprovement(
        (posterior.mean - mean) / sd,
        spread,
        acquisition.incumbent,
      );
      expect(value).toBeCloseTo(direct, 6);
      expect(acquisition.bound(base, move)).toBeGreaterThanOrEqual(value - 1e-9);
    }
  });

  it('climbs to the best of all 4095 masks', () => {
    for (let seed = 0; seed < 5; seed++) {
      const random = new Random(seed, 50);
      const observations = randomObservations(fixed, 30, random);
      const model = GaussianProcess.fit(12, observations);
      const acquisition = new Acquisition(model);
      const tried = new Set(observations.map((o) => candidateKey(o.candidate)));
      const excluded = (c: (typeof observations)[0]['candidate']) =>
        tried.has(candidateKey(c)) || !c.mask.includes(1);
      let best = -Infinity;
      for (let index = 1; index < 4096; index++) {
        const candidate = { mask: maskOf(index, 12), draft: FIXED_RULE };
        if (!excluded(candidate)) best = Math.max(best, acquisition.base(candidate).value);
      }
      const found = observations
        .slice(0, 8)
        .map(({ candidate }) =>
          climb(
            acquisition,
            candidate,
            { center: candidate.mask, radius: 12, excluded },
            fixed,
            random,
            1e9,
          ),
        );
      expect(Math.max(...found.map((p) => p?.value ?? -Infinity))).toBeCloseTo(best, 6);
    }
  });

  it('keeps within its trust region', () => {
    const random = new Random(9);
    const model = GaussianProcess.fit(12, randomObservations(fixed, 30, random));
    const start = randomCandidate(fixed, random);
    const region = { center: start.mask, radius: 1, excluded: () => false };
    const found = climb(new Acquisition(model), start, region, fixed, random, 1e9);
    expect(
      found?.candidate.mask.filter((bit, i) => bit !== start.mask[i]).length,
    ).toBeLessThanOrEqual(1);
  });
});

describe('TrustRegion', () => {
  it('grows on successes, shrinks on failures and starts again', () => {
    const region = new TrustRegion(32);
    expect(region.radius).toBe(8);
    for (let i = 0; i < 3; i++) region.report(true);
    expect(region.radius).toBe(16);
    for (let i = 0; i < 24; i++) region.report(false);
    expect(region.radius).toBe(1);
    for (let i = 0; i < 6; i++) region.report(false);
    expect(region.radius).toBe(8);
  });
});

describe('bo sampler', () => {
  it('tries the initial candidates first, and nothing twice until the space is spent', () => {
    const space: SearchSpace = { bits: 4, draft: FIXED_RULE };
    const initial = [7, 7, 0, 9].map((index) => ({ mask: maskOf(index, 4), draft: FIXED_RULE }));
    const sampler = createBoSampler(space, 0, initial);
    const keys: string[] = [];
    for (let t = 0; t < 15; t++) {
      const candidate = sampler.ask();
      keys.push(candidateKey(candidate));
      sampler.tell(candidate, candidate.mask[0] - candidate.mask[1], 0);
    }
    expect(keys.slice(0, 2)).toEqual([candidateKey(initial[0]), candidateKey(initial[3])]);
    expect(new Set(keys).size).toBe(15);
    expect(keys).toContain(candidateKey(sampler.ask()));
  });

  it('proposes around a fit between two asks what a resumed study proposes', () => {
    const told = randomObservations(searched, 165, new Random(5));
    const resumed = () => {
      const sampler = createBoSampler(searched, 3, []);
      for (const { candidate, score } of told) sampler.tell(candidate, score, 0);
      return sampler;
    };
    const sampler = resumed();
    // A fit is due whenever trials have grown by a fifth, so one falls between; asks in pairs, before and after it.
    while (told.length < 165 * 1.21) {
      const candidate = sampler.ask();
      const expected = resumed();
      expect(candidateKey(candidate)).toBe(candidateKey(expected.ask()));
      expect(sampler.posterior(candidate)).toEqual(expected.posterior(candidate));
      const score = candidate.mask[3] - candidate.mask[5];
      sampler.tell(candidate, score, 0);
      told.push({ candidate, score, noiseVariance: 0 });
    }
  });

  it('finds a good draft rule along with the mask', () => {
    const sampler = createBoSampler(searched, 6, []);
    let best = -Infinity;
    for (let t = 0; t < 80; t++) {
      const candidate = sampler.ask();
      const { exit, draftLength, threshold } = candidate.draft;
      const bits = candidate.mask.reduce((sum, bit, i) => sum + (i % 3 === 0 ? bit : -bit), 0);
      const rule =
        (exit === 'adaptive' ? 1 : 0) - 0.05 * (draftLength - 7) ** 2 - 4 * (threshold - 0.6) ** 2;
      best = Math.max(best, bits + rule);
      sampler.tell(candidate, bits + rule, 0);
    }
    expect(best).toBeGreaterThan(4.85);
  });

  it('finds the optimum of noisy 16-bit landscapes and beats restarted local search', () => {
    const seeds = Array.from({ length: 10 }, (_, seed) => seed);
    const space: SearchSpace = { bits: 16, draft: FIXED_RULE };
    let found = 0;
    let bo = 0;
    let local = 0;
    for (const seed of seeds) {
      const landscape = pairwiseLandscape(16, 1, seed);
      const outcome = runSampler(landscape, createBoSampler(space, seed, []), 200, seed);
      if (outcome.found) found++;
      bo += outcome.regret.reduce((sum, r) => sum + r, 0);
      local += runLocalSearch(landscape, 200, seed).regret.reduce((sum, r) => sum + r, 0);
    }
    expect(found).toBeGreaterThanOrEqual(8);
    expect(bo).toBeLessThan(local);
  });
});
