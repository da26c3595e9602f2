import { describe, expect, it } from 'vitest';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import {
  defaultStudyName,
  type NamedSearch,
  numberedName,
  numberOfName,
} from '../../src/study/default-name.js';

const plain: NamedSearch = {
  model: 'demo',
  precision: 'int8',
  sampler: 'bo',
  fidelity: 'ladder',
  seed: 0,
  dataset: 'calibration',
  sampling: GREEDY,
};
const nameOf = (changes: Partial<NamedSearch>) => defaultStudyName({ ...plain, ...changes });

describe('the default name of a study', () => {
  it('has dataset and sampling only where they are not the default', () => {
    expect(nameOf({})).toBe('demo-int8-bo-ladder-0');
    expect(nameOf({ dataset: 'code' })).toBe('demo-code-int8-bo-ladder-0');
    expect(nameOf({ dataset: 'prompts (the rest of share 0.3, seed 0)' })).toBe(
      'demo-prompts-int8-bo-ladder-0',
    );
    const sampling = { ...GREEDY, temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 };
    expect(nameOf({ sampling })).toBe('demo-int8-bo-ladder-t0.8-k40-p0.95-m0.05-0');
    expect(nameOf({ sampling: { ...GREEDY, seed: 7 } })).toBe('demo-int8-bo-ladder-0');
  });

  it('is a name that a study may have, with room for a number, whatever goes in', () => {
    const long = {
      dataset: 'x'.repeat(300),
      sampler: 'relaxed-gp',
      seed: Number.MIN_SAFE_INTEGER,
      sampling: { ...GREEDY, temperature: 1 / 3, topP: 1 / 3, minP: 1e-9 },
    };
    const names = ['./my model', '/a/b/../', '....', 'é', '-x', `a${'-'.repeat(200)}`].flatMap(
      (model) => [nameOf({ model }), nameOf({ ...long, model }), nameOf({ model, dataset: 'ü' })],
    );
    names.push(nameOf({ ...long, model: 'y'.repeat(300) }));
    expect(names.at(-1)).toHaveLength(94);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,93}$/);
    expect(nameOf({ model: './my-model' })).toBe('my-model-int8-bo-ladder-0');
    expect(nameOf({ model: '/a/b/my-model/' })).toBe('my-model-int8-bo-ladder-0');
    expect(nameOf({ model: 'org/name' })).toBe('org-name-int8-bo-ladder-0');
  });
});

describe('the number of a default name', () => {
  it('is read back, and other studies have none', () => {
    for (const number of [1, 2, 10])
      expect(numberOfName(numberedName('a-0', number), 'a-0')).toBe(number);
    for (const study of ['a-0-1', 'a-0-02', 'a-0-x', 'a-0-', 'a-02', 'b-0-2', 'a-0-2-2'])
      expect(numberOfName(study, 'a-0'), study).toBeUndefined();
  });
});
