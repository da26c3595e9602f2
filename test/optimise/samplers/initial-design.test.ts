import { describe, expect, it } from 'vitest';
import type { Candidate, SearchSpace } from '../../../src/optimise/candidate.js';
import { initialDesign } from '../../../src/optimise/samplers/initial-design.js';
import { layerSpans } from '../../../src/optimise/samplers/spans.js';

const space: SearchSpace = {
  bits: 60,
  draft: { exit: 'fixed', draftLength: 4, threshold: 0 },
};
const candidates = (masks: readonly Uint8Array[]): Candidate[] =>
  masks.map((mask) => ({ mask, draft: { exit: 'fixed', draftLength: 4, threshold: 0 } }));

describe('spans of layers', () => {
  it.each([1, 2, 5, 30, 32])(
    'are single runs of whole layers, of %i layers up to all',
    (layers) => {
      const spans = layerSpans(2 * layers);
      const keys = spans.map((mask) => mask.join(''));
      for (const key of keys) expect(key).toMatch(/^(00)*(11)+(00)*$/);
      for (const key of keys) expect(key).toHaveLength(2 * layers);
      expect(keys).toContain('11'.repeat(layers));
      expect(new Set(keys).size).toBe(keys.length);
    },
  );
});

describe('the initial design', () => {
  it('is what is given where that is enough, without repeats and the empty mask', () => {
    const given = candidates(layerSpans(space.bits));
    const empty = candidates([new Uint8Array(space.bits)]);
    expect(initialDesign(space, 3, [...given, ...empty, ...given])).toEqual(given);
  });

  it('is filled up with random masks to one for every ten bits, 8 at least', () => {
    const given = candidates(layerSpans(space.bits).slice(0, 2));
    const design = initialDesign(space, 3, given);
    expect(design.slice(0, 2)).toEqual(given);
    expect(design).toHaveLength(8);
    expect(new Set(design.map(({ mask }) => mask.join(''))).size).toBe(8);
    expect(initialDesign({ ...space, bits: 120 }, 3, [])).toHaveLength(12);
  });
});
