import { describe, expect, it } from 'vitest';
import { candidateKey, type SearchSpace } from '../../../src/optimise/candidate.js';
import { MaternProcess } from '../../../src/optimise/gp/matern.js';
import { createDpSampler } from '../../../src/optimise/samplers/dp.js';
import { createGreedySampler } from '../../../src/optimise/samplers/greedy.js';
import { createRandomSampler } from '../../../src/optimise/samplers/random.js';
import { createRelaxedGpSampler } from '../../../src/optimise/samplers/relaxed-gp.js';
import {
  cornerOf,
  cut,
  randomPoint,
  relaxedDimensions,
} from '../../../src/optimise/samplers/relaxed-space.js';
import { createSwiftSampler } from '../../../src/optimise/samplers/swift.js';
import { upperBoundMaximum } from '../../../src/optimise/samplers/upper-bound.js';
import { Random } from '../../../src/random.js';
import { FIXED_RULE, maskOf, pairwiseLandscape, runSampler } from '../landscapes.js';
import { randomCandidate } from '../oracle.js';

const searched: SearchSpace = { bits: 12, draft: 'search' };
const fixed: SearchSpace = { bits: 12, draft: FIXED_RULE };

describe('relaxed space', () => {
  it('cuts at a half, and a corner is cut back into its candidate', () => {
    const random = new Random(1);
    for (const space of [searched, fixed]) {
      expect(relaxedDimensions(space)).toBe(space === searched ? 15 : 12);
      for (let i = 0; i < 200; i++) {
        const candidate = randomCandidate(space, random);
        expect(candidateKey(cut(cornerOf(candidate, space), space))).toBe(candidateKey(candidate));
        const point = randomPoint(space, random);
        const { mask } = cut(point, space);
        expect([...mask]).toEqual(Array.from(point.subarray(0, 12), (x) => Number(x > 0.5)));
      }
    }
    const low = Float64Array.of(0.1, 0.4, 0.2);
    expect([...cut(low, { bits: 3, draft: FIXED_RULE }).mask]).toEqual([0, 1, 0]);
    // Both ends of the range of every rule parameter can be had.
    const end = (x: number) => cut(new Float64Array(15).fill(x), searched).draft;
    expect(end(0)).toEqual({ exit: 'fixed', draftLength: 2, threshold: 0 });
    expect(end(1)).toEqual({ exit: 'adaptive', draftLength: 12, threshold: 0.95 });
  });
});

describe('upperBoundMaximum', () => {
  it('is at least the best of a fine grid in two dimensions, and in the box', () => {
    const random = new Random(2);
    const model = new MaternProcess(2);
    for (let i = 0; i < 25; i++) {
      const point = Float64Array.of(random.uniform(), random.uniform());
      model.append(point, Math.sin(5 * point[0]) + point[1] ** 2);
    }
    const point = upperBoundMaximum(model, 2.576, new Random(3));
    const value = model.upperBound(point, 2.576).value;
    for (let i = 0; i <= 60; i++)
      for (let j = 0; j <= 60; j++) {
        const other = model.upperBound(Float64Array.of(i / 60, j / 60), 2.576).value;
        expect(value).toBeGreaterThan(other - 1e-3);
      }
    for (const x of point) expect(x >= 0 && x <= 1).toBe(true);
  });
});

describe('relaxed-gp sampler', () => {
  it('does better than random masks on an additive landscape', () => {
    const space: SearchSpace = { bits: 16, draft: FIXED_RULE };
    let relaxed = 0;
    let random = 0;
    for (let seed = 0; seed < 2; seed++) {
      const landscape = pairwiseLandscape(16, 0, seed);
      const regret = (sampler: ReturnType<typeof createRandomSampler>) =>
        runSampler(landscape, sampler, 40, seed).regret.at(-1)!;
      relaxed += regret(createRelaxedGpSampler(space, seed));
      random += regret(createRandomSampler(space, seed));
    }
    expect(relaxed).toBeLessThan(random);
  });
});

describe('swift sampler', () => {
  it('keeps the first and the last layer and skips a fixed share of the others', () => {
    const space: SearchSpace = { bits: 24, draft: FIXED_RULE };
    const sampler = createSwiftSampler(space, 1);
    const skipped = [];
    for (let t = 0; t < 55; t++) {
      const { mask, draft } = sampler.ask();
      expect([mask[0], mask[1], mask[22], mask[23]]).toEqual([0, 0, 0, 0]);
      skipped.push(mask.reduce((sum, bit) => sum + bit, 0));
      sampler.tell({ mask, draft }, mask[4]! + mask[7]! - mask[9]!);
    }
    // Every other layer first, then 0.45 of twenty sublayers.
    expect(skipped[0]).toBe(10);
    expect(new Set(skipped.slice(1))).toEqual(new Set([9]));
  });

  it('lets the model choose every 25th mask', () => {
    const space: SearchSpace = { bits: 24, draft: FIXED_RULE };
    let modelled = 0;
    let random = 0;
    for (let seed = 0; seed < 4; seed++) {
      const sampler = createSwiftSampler(space, seed);
      for (let t = 0; t <= 50; t++) {
        const candidate = sampler.ask();
        const score = [4, 5, 6, 7, 8].reduce((sum, bit) => sum + candidate.mask[bit]!, 0);
        if (t === 25 || t === 50) modelled += score / 8;
        else if (t > 0) random += score / (4 * 48);
        sampler.tell(candidate, score);
      }
    }
    expect(modelled).toBeGreaterThan(random + 0.5);
  });
});

describe('greedy sampler', () => {
  it('adds sublayers in the order of the ranking and keeps those that help', () => {
    const agreement = Float64Array.from({ length: 12 }, (_, bit) => 1 - bit / 12);
    const sampler = createGreedySampler(fixed, 0, agreement);
    const helps = [0, 1, 3, 6, 7, 11];
    const value = (mask: Uint8Array) =>
      mask.reduce((sum, bit, i) => sum + (helps.includes(i) ? bit : -bit), 0);
    const tried: string[] = [];
    for (let t = 0; t < 12; t++) {
      const candidate = sampler.ask();
      tried.push(candidate.mask.join(''));
      sampler.tell(candidate, value(candidate.mask));
    }
    expect(tried.slice(0, 5)).toEqual([
      '100000000000',
      '110000000000',
      '111000000000',
      '110100000000',
      '110110000000',
    ]);
    // The ranking is through: single flips of the best mask, each once.
    const best = maskOf(
      helps.reduce((sum, bit) => sum + 2 ** bit, 0),
      12,
    );
    const flips = Array.from({ length: 7 }, () => {
      const candidate = sampler.ask();
      sampler.tell(candidate, value(candidate.mask));
      return candidate.mask;
    });
    for (const mask of flips)
      expect(mask.reduce((sum, bit, i) => sum + Math.abs(bit - best[i]!), 0)).toBe(1);
    expect(new Set(flips.map((mask) => mask.join(''))).size).toBe(7);
  });

  it('moves on to a better mask that a flip finds', () => {
    const sampler = createGreedySampler(fixed, 0, new Float64Array(12));
    let best = -Infinity;
    // Two bits that help only together, apart in the ranking from what came between them.
    const value = (mask: Uint8Array) => mask[0]! - mask[1]! - mask[2]! + 3 * mask[1]! * mask[2]!;
    for (let t = 0; t < 120; t++) {
      const candidate = sampler.ask();
      best = Math.max(best, value(candidate.mask));
      sampler.tell(candidate, value(candidate.mask));
    }
    expect(best).toBe(2);
  });
});

describe('dp sampler', () => {
  it('tries every plan once, then varies the best', () => {
    const plans = [1, 3, 3, 11, 27].map((index) => maskOf(index, 12));
    const sampler = createDpSampler(fixed, 0, plans);
    const masks = Array.from({ length: 10 }, () => {
      const candidate = sampler.ask();
      sampler.tell(candidate, -Math.abs(candidate.mask.reduce((sum, bit) => sum + bit, 0) - 3));
      return candidate.mask;
    });
    const names = masks.map((mask) => mask.join(''));
    expect(names.slice(0, 4)).toEqual(
      [plans[0], plans[1], plans[3], plans[4]].map((m) => m!.join('')),
    );
    expect(new Set(names).size).toBe(10);
    for (const mask of masks.slice(4))
      expect(mask.filter((bit, i) => bit !== plans[3]![i]).length).toBe(1);
  });
});
