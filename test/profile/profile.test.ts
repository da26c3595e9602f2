import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { checkProfileFits } from '../../src/profile/fit.js';
import {
  parseProfile,
  readProfile,
  updateProfile,
  writeProfile,
} from '../../src/profile/profile.js';
import { type Profile, profileJsonSchema } from '../../src/profile/schema.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleCosts, exampleProfile } from './example.js';

/** The example with one change, as the text of a file. */
function changed(change: (profile: Record<string, never>) => void): string {
  const copy = JSON.parse(JSON.stringify(exampleProfile));
  change(copy);
  return JSON.stringify(copy);
}

describe('parseProfile', () => {
  test('what is written is read back', () => {
    const file = join(temporaryDirectory(), 'deep', 'profile.json');
    writeProfile(file, exampleProfile);
    expect(readProfile(file)).toEqual(exampleProfile);
    expect(readdirSync(join(file, '..'))).toEqual(['profile.json']);
  });

  test('a file that holds the profile already is left alone, any other is replaced', () => {
    const file = join(temporaryDirectory(), 'profile.json');
    updateProfile(file, exampleProfile);
    const compact = JSON.stringify(exampleProfile);
    writeFileSync(file, compact);
    updateProfile(file, exampleProfile);
    expect(readFileSync(file, 'utf8')).toBe(compact);
    for (const content of [compact.replace('0.1.0', '0.0.9'), 'no profile']) {
      writeFileSync(file, content);
      updateProfile(file, exampleProfile);
      expect(readProfile(file)).toEqual(exampleProfile);
    }
  });

  test('an imported skip list needs neither study nor figures', () => {
    const { tool_version, created, machine, threads, command } = exampleProfile.provenance;
    const imported: Profile = {
      ...exampleProfile,
      provenance: { tool_version, created, machine, threads, command },
      figures: {},
      pareto: [],
    };
    expect(parseProfile(JSON.stringify(imported), 'p.json')).toEqual(imported);
  });

  test('costs are read back, and need not be there for other rules', () => {
    const rule = { draft_length: 2, threshold: 0, costs: exampleCosts };
    for (const draft_exit of ['fixed', 'cost'] as const) {
      const profile: Profile = { ...exampleProfile, draft: { ...rule, draft_exit } };
      expect(parseProfile(JSON.stringify(profile), 'p.json')).toEqual(profile);
    }
    // A Pareto point names its rule; costs are those of the profile's own mask.
    const pareto = [{ ...exampleProfile.pareto[0]!, draft_exit: 'cost' as const }];
    const profile: Profile = { ...exampleProfile, pareto };
    expect(parseProfile(JSON.stringify(profile), 'p.json')).toEqual(profile);
  });

  const { acceptance } = exampleCosts;
  test.each<[string, object, RegExp]>([
    ['no costs', { costs: undefined }, /"draft\.costs".*needs costs/],
    ['a longer draft than costs', { draft_length: 3 }, /"draft\.costs\.verify".*more elements/],
    ['a free draft', { costs: { ...exampleCosts, draft: 0 } }, /"draft\.costs\.draft"/],
    [
      'certainty',
      { costs: { ...exampleCosts, acceptance: { ...acceptance, probability: [0.4, 1] } } },
      /"draft\.costs\.acceptance\.probability\.1"/,
    ],
    [
      'a falling curve',
      { costs: { ...exampleCosts, acceptance: { ...acceptance, probability: [0.4, 0.3] } } },
      /"draft\.costs\.acceptance\.probability".*not fall/,
    ],
    [
      'a repeated knot',
      { costs: { ...exampleCosts, next_acceptance: { ...acceptance, confidence: [0.2, 0.2] } } },
      /"draft\.costs\.next_acceptance\.confidence".*ascend/,
    ],
    [
      'a knot without probability',
      { costs: { ...exampleCosts, acceptance: { ...acceptance, probability: [0.4] } } },
      /"draft\.costs\.acceptance\.probability".*same length/,
    ],
  ])('refuses, for the exit cost, %s', (_, change, message) => {
    const draft = { draft_length: 2, draft_exit: 'cost', threshold: 0, costs: exampleCosts };
    const text = JSON.stringify({ ...exampleProfile, draft: { ...draft, ...change } });
    expect(() => parseProfile(text, 'p.json')).toThrow(message);
  });

  test('fields of a later minor release are passed over', () => {
    const text = JSON.stringify({ ...exampleProfile, energy: 3 });
    expect(parseProfile(text, 'p.json')).toEqual(exampleProfile);
  });

  test('another major version is refused with what to do', () => {
    const parse = () => parseProfile('{"schema":"sspec-profile","version":4}', 'p.json');
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(/^p\.json: field "version" is 4, .*update sspec/);
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /not JSON/],
    ['another file', '{"a":1}', /field "schema"/],
    ['a list', '[]', /its content/],
    [
      'unsorted',
      changed((p) => Object.assign(p, { skip_mlp: [4, 3] })),
      /field "skip_mlp".*ascend/,
    ],
    [
      'repeated',
      changed((p) => Object.assign(p, { skip_mlp: [4, 4] })),
      /field "skip_mlp".*ascend/,
    ],
    ['no such layer', changed((p) => Object.assign(p, { skip_mlp: [12] })), /"skip_mlp".*layer 12/],
    [
      'no such layer in a Pareto mask',
      changed((p) => Object.assign(p.pareto[0], { skip_attention: [40] })),
      /"pareto\.0\.skip_attention".*layer 40/,
    ],
    ['a fraction', changed((p) => Object.assign(p, { skip_mlp: [1.5] })), /"skip_mlp\.0"/],
    ['threshold', changed((p) => Object.assign(p.draft, { threshold: 2 })), /"draft\.threshold"/],
    [
      'no draft',
      changed((p) => Object.assign(p.draft, { draft_length: 0 })),
      /"draft\.draft_length"/,
    ],
    [
      'crossed interval',
      changed((p) =>
        Object.assign((p.figures as { holdout: object }).holdout, { speedup_ci95: [2, 1] }),
      ),
      /"figures\.holdout\.speedup_ci95".*lower end/,
    ],
    ['missing', changed((p) => Object.assign(p, { precision: undefined })), /"precision"/],
  ])('refuses %s', (_, text, message) => {
    const parse = () => parseProfile(text, 'p.json');
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^p\.json/);
  });
});

describe('readProfile and writeProfile', () => {
  test('a missing file and a folder are named', () => {
    const directory = temporaryDirectory();
    expect(() => readProfile(join(directory, 'none.json'))).toThrow(/There is no profile .*none/);
    expect(() => readProfile(directory)).toThrow(InputError);
  });

  test('a huge file is refused before it is read', () => {
    const file = join(temporaryDirectory(), 'huge.json');
    writeFileSync(file, '');
    truncateSync(file, 17 * 2 ** 20);
    expect(() => readProfile(file)).toThrow(/larger than 16 MiB/);
  });

  test('a profile that could not be read back is not written', () => {
    const file = join(temporaryDirectory(), 'profile.json');
    expect(() => writeProfile(file, { ...exampleProfile, skip_mlp: [7, 7] })).toThrow(InputError);
    expect(existsSync(file)).toBe(false);
  });
});

describe('checkProfileFits', () => {
  const target = {
    weightsHash: 'sha256:0123',
    layers: 12,
    precision: 'int8',
    threads: 2,
    cpu: 'Some CPU',
  } as const;

  test('the same model on the same machine: nothing to say', () => {
    expect(checkProfileFits(exampleProfile, target, 'p.json')).toEqual([]);
  });

  test('another model is an error', () => {
    const check = (change: object) => () =>
      checkProfileFits(exampleProfile, { ...target, ...change }, 'p.json');
    expect(check({ weightsHash: 'sha256:4567' })).toThrow(InputError);
    expect(check({ weightsHash: 'sha256:4567' })).toThrow(/^p\.json: .*org\/name@main/);
    expect(check({ layers: 10 })).toThrow(/model\.layers.* 12, but the model has 10/);
  });

  test('a CPU that was recorded without its instruction sets may have any', () => {
    const same = { ...target, cpu: 'Some CPU (AVX2)' };
    expect(checkProfileFits(exampleProfile, same, 'p.json')).toEqual([]);
  });

  test('another machine, precision or thread count is a warning that says what differs', () => {
    const other = { ...target, precision: 'int4', threads: 8, cpu: 'Other CPU' } as const;
    const warnings = checkProfileFits(exampleProfile, other, 'p.json');
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/precision \(int8, here int4\)/);
    expect(warnings[1]).toMatch(/CPU \(Some CPU, here Other CPU\)/);
    expect(warnings[2]).toMatch(/thread count \(2, here 8\)/);
  });
});

test('schema/profile.schema.json is current (npx vitest run test/profile -u writes it)', async () => {
  const text = `${JSON.stringify(profileJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../schema/profile.schema.json');
});
