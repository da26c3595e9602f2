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
    const [dataset] = datasets;
    expect(datasets).toEqual([dataset]);
    expect(dataset).toMatch(/^(chat:)?heldout$/);
    const kinds = dataset === 'heldout' ? 4 : 1;
    expect(kinds * limit).toBeGreaterThanOrEqual(40);
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
    ['a precision that there is not', { precisions: ['int2'] }, /"precisions.0"/],
    [
      'a variant twice',
      { variants: [{ name: 'a' }, { name: 'a' }] },
      /"variants.1".*"a" comes twice/,
    ],
    [
      'a profile that is not there',
      { variants: [{ name: 'a', profile: 'yours' }] },
      /"variants.0".*none of "profiles" \(mine\)/,
    ],
    ['a mask from nowhere', { profiles: {} }, /"variants.0".*none of "profiles"/],
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
