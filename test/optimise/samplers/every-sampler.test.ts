import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, candidateKey, type SearchSpace } from '../../../src/optimise/candidate.js';
import { type Sampler, samplerNames } from '../../../src/optimise/sampler.js';
import { createSampler, type SamplerSources } from '../../../src/optimise/samplers/create.js';
import { FIXED_RULE, maskOf } from '../landscapes.js';

const BITS = 12;
const searched: SearchSpace = { bits: BITS, draft: 'search' };
const fixed: SearchSpace = { bits: BITS, draft: FIXED_RULE };

/** What a model would be asked for: a ranking and plans of its sublayers. */
const sources: SamplerSources = {
  agreement: async () => Float64Array.from({ length: BITS }, (_, bit) => ((5 * bit) % 12) / 12),
  plan: async () => [1, 5, 15, 47, 1007].map((index) => maskOf(index, BITS)),
};

/** Scores with ties, so that their order counts too. */
const scoreOf = ({ mask, draft }: Candidate) =>
  1 + mask[3]! - 0.1 * mask[5]! + 0.2 * mask[4]! * mask[6]! - 0.01 * draft.draftLength;

describe.each(samplerNames)('%s sampler', (name) => {
  const create = async (seed: number, space = searched) =>
    (await createSampler(name, space, seed, sources)).sampler;
  /** Asks and tells; returns what was proposed. */
  const run = (sampler: Sampler, trials: number): Candidate[] =>
    Array.from({ length: trials }, () => {
      const candidate = sampler.ask();
      sampler.tell(candidate, scoreOf(candidate), 0.01);
      return candidate;
    });
  const keys = (candidates: readonly Candidate[]) => candidates.map(candidateKey);

  it('repeats for a seed and goes on after a resume as if never stopped', async () => {
    const cases = fc.record({
      seed: fc.integer({ min: 0, max: 1e9 }),
      told: fc.integer({ min: 0, max: 28 }),
      space: fc.constantFrom(searched, fixed),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, told, space }) => {
        const whole = run(await create(seed, space), told + 6);
        expect(keys(run(await create(seed, space), told + 6))).toEqual(keys(whole));
        const resumed = await create(seed, space);
        for (const candidate of whole.slice(0, told))
          resumed.tell(candidate, scoreOf(candidate), 0.01);
        expect(keys(run(resumed, 6))).toEqual(keys(whole.slice(told)));
      }),
      { numRuns: 3 },
    );
  });

  it('goes on after a resume behind trials that still run', async () => {
    const [whole, resumed] = [await create(8), await create(8)];
    for (const candidate of run(whole, 7)) resumed.tell(candidate, scoreOf(candidate), 0.01);
    for (let i = 0; i < 3; i++) resumed.expect(whole.ask());
    expect(candidateKey(resumed.ask())).toBe(candidateKey(whole.ask()));
  });

  it('goes on from trials that are not its own', async () => {
    const foreign = run((await createSampler('random', searched, 77, sources)).sampler, 9);
    const [first, second] = [await create(5), await create(5)];
    for (const candidate of foreign) {
      first.tell(candidate, scoreOf(candidate));
      second.tell(candidate, scoreOf(candidate));
    }
    expect(keys(run(first, 5))).toEqual(keys(run(second, 5)));
  });

  it('proposes other candidates for another seed', async () => {
    expect(keys(run(await create(2), 30))).not.toEqual(keys(run(await create(1), 30)));
  });

  it('proposes only valid candidates, never the empty mask', async () => {
    const sampler = await create(3);
    for (let t = 0; t < 40; t++) {
      const candidate = sampler.ask();
      const { exit, draftLength, threshold } = candidate.draft;
      expect(candidate.mask.length).toBe(BITS);
      expect(candidate.mask.includes(1)).toBe(true);
      expect(draftLength >= 2 && draftLength <= 12).toBe(true);
      expect(Math.round(threshold * 20) / 20).toBeCloseTo(threshold, 12);
      if (exit === 'fixed') expect(threshold).toBe(0);
      sampler.tell(candidate, Math.sin(t), 0.01);
    }
  });

  it('keeps the rule of a space that has one', async () => {
    for (const { draft } of run(await create(4, fixed), 30)) expect(draft).toEqual(FIXED_RULE);
  });

  it('can propose twice before it is told', async () => {
    const sampler = await create(6);
    run(sampler, 8);
    const asked = [sampler.ask(), sampler.ask()];
    for (const candidate of asked) sampler.tell(candidate, scoreOf(candidate));
    expect(new Set(keys(asked)).size).toBe(2);
  });

  it('refuses scores that are no numbers, and masks of another length', async () => {
    const sampler = await create(0);
    const candidate = sampler.ask();
    expect(() => sampler.tell(candidate, Number.NaN)).toThrow(RangeError);
    expect(() => sampler.tell(candidate, 1, -1)).toThrow(RangeError);
    expect(() => sampler.tell({ ...candidate, mask: new Uint8Array(4) }, 1)).toThrow(RangeError);
  });
});
