import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDefinition } from '../../experiments/lib/definition.js';
import { InputError } from '../../src/errors.js';
import { root } from '../helpers/built.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { someDefinition, writeDefinition } from './example.js';

const folder = join(root, 'experiments');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

describe('the experiments of this repository', () => {
  it.each(files)('%s can be read, and measures at least 40 prompts', (file) => {
    const { limit, datasets } = readDefinition(join(folder, file));
    expect(datasets).toEqual(['heldout']);
    expect(4 * limit).toBeGreaterThanOrEqual(40);
  });

  it('name no mask of their own: the profile has it', () => {
    for (const file of files)
      for (const variant of readDefinition(join(folder, file)).variants)
        expect(variant.skip_attention ?? variant.skip_mlp).toBeUndefined();
  });

  it('vary what they say they vary', () => {
    const read = (name: string) => readDefinition(join(folder, `${name}.yaml`));
    const lengths = read('draft-length').variants.map(({ draft_length }) => draft_length);
    expect(lengths).toEqual(Array.from({ length: 11 }, (_, i) => i + 2));
    const exits = read('exits').variants.map(({ draft_exit }) => draft_exit);
    expect(new Set(exits)).toEqual(new Set(['fixed', 'threshold', 'adaptive', 'cost']));
    expect(read('precision').precisions).toEqual(['fp32', 'int8', 'int4']);
    const { profiles } = read('transfer');
    const searched = Object.entries(profiles).flatMap(([name, source]) =>
      typeof source === 'string' ? [] : [[name, source.search]],
    );
    expect(searched).toEqual(
      ['stories', 'help', 'code', 'math'].map((kind) => [kind, `${kind}:calibration`]),
    );
  });
});

describe('a definition', () => {
  it('has defaults for what is usual, and a hash of its text', () => {
    const definition = someDefinition();
    expect(definition.model).toBe('demo');
    expect(definition.prompt_tokens).toBeUndefined();
    expect(definition.variants).toEqual([{ name: 'skip', method: 'skip', fallback: false }]);
    expect(definition.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(someDefinition({ limit: 3 }).sha256).not.toBe(definition.sha256);
  });

  it.each<[string, object, RegExp]>([
    ['another name than its file', { name: 'other' }, /"name" is other; call it some/],
    ['an unknown field', { colour: 'red' }, /colour/],
    ['no precision', { precisions: [] }, /"precisions"/],
    ['a precision that there is not', { precisions: ['int2'] }, /"precisions.0"/],
    ['a precision twice', { precisions: ['int8', 'int8'] }, /"precisions".*twice/],
    ['a length twice', { prompt_tokens: [8, 8] }, /"prompt_tokens".*twice/],
    ['a variant twice', { variants: [{ name: 'a' }, { name: 'a' }] }, /"variants.1.name".*"a"/],
    ['the baseline as a variant', { variants: [{ name: 'autoregressive' }] }, /"variants.0.name"/],
    [
      'a profile that is not there',
      { variants: [{ name: 'a', profile: 'yours' }] },
      /"variants.0.profile".*"yours" is none of mine/,
    ],
    ['a mask from nowhere', { profiles: {} }, /"variants.0".*nothing under "profiles"/],
    [
      'lookup with a draft length',
      { variants: [{ name: 'a', method: 'lookup', draft_length: 3 }] },
      /"variants.0".*lookup/,
    ],
    [
      'a threshold without its rule',
      { variants: [{ name: 'a', draft_exit: 'cost', threshold: 0.5 }] },
      /"variants.0.threshold"/,
    ],
    [
      'layers out of order',
      { variants: [{ name: 'a', skip_mlp: [2, 1] }] },
      /"variants.0.skip_mlp".*ascend/,
    ],
    [
      'lines over a word',
      { figure: { form: 'lines', x: 'variant', series: 'dataset' } },
      /"figure.x".*number/,
    ],
    [
      'a search at two precisions',
      {
        precisions: ['int8', 'int4'],
        profiles: {
          mine: {
            search: 'code:calibration',
            ...{ trials: 1, finalists: 1, prompts_per_trial: 1, max_new_tokens: 2, seed: 0 },
          },
        },
      },
      /"precisions".*one/,
    ],
  ])('is refused with %s', (_, changes, message) => {
    const file = writeDefinition(changes);
    expect(() => readDefinition(file)).toThrow(InputError);
    expect(() => readDefinition(file)).toThrow(message);
    expect(() => readDefinition(file)).toThrow(file);
  });

  it('is refused where it is missing or not YAML', () => {
    expect(() => readDefinition('nowhere.yaml')).toThrow('There is no experiment nowhere.yaml.');
    const file = join(temporaryDirectory(), 'some.yaml');
    writeFileSync(file, 'name: [');
    expect(() => readDefinition(file)).toThrow(/not valid YAML/);
  });
});
