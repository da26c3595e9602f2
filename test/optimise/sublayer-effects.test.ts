import { expect, it } from 'vitest';
import type { SearchedRule } from '../../src/optimise/candidate.js';
import { sublayerEffects } from '../../src/optimise/sublayer-effects.js';
import { uniforms } from '../helpers/random.js';

const draft: SearchedRule = { exit: 'fixed', draftLength: 4, threshold: 0 };

it('finds the sublayers that matter in scores made of known effects', () => {
  const bits = 12;
  // Skipping attention 2 costs, skipping MLP 4 gains, the rest does next to nothing.
  const weight = (bit: number) => (bit === 4 ? -0.3 : bit === 9 ? 0.2 : 0.002);
  const uniform = uniforms(3);
  const observations = Array.from({ length: 60 }, () => {
    const mask = Uint8Array.from({ length: bits }, () => (uniform() < 0.5 ? 1 : 0));
    mask[0] = 1;
    const score = mask.reduce((sum, bit, i) => sum + bit * weight(i), 1);
    return { candidate: { mask, draft }, score, noiseVariance: 0 };
  });
  const effects = sublayerEffects(bits, observations);
  expect(effects).toHaveLength(bits);
  const [first, second, third] = effects;
  expect(first).toMatchObject({ kind: 'attention', layer: 2, skipped: false });
  expect(first!.flip).toBeCloseTo(-0.3, 1);
  expect(second).toMatchObject({ kind: 'mlp', layer: 4, skipped: true });
  expect(second!.flip).toBeCloseTo(-0.2, 1);
  expect(Math.abs(third!.flip)).toBeLessThan(0.05);
});

it('says nothing before there is something to learn from', () => {
  expect(sublayerEffects(4, [])).toEqual([]);
});
