import { describe, expect, it } from 'vitest';
import { layerParts, type TensorNames } from '../../../src/checkpoint/families/family.js';
import {
  families,
  familyOfArchitecture,
  familyOfType,
} from '../../../src/checkpoint/families/index.js';
import {
  fusedParts,
  roleFinder,
  type TensorRole,
  tensorName,
} from '../../../src/checkpoint/families/tensor-names.js';

const namings: [string, TensorNames][] = families.flatMap((family) => [
  [family.modelType, family.names] as [string, TensorNames],
  ...(family.gguf === null
    ? []
    : [[`${family.modelType} in GGUF`, family.gguf.names] as [string, TensorNames]]),
]);

describe.each(namings)('the names of %s', (_, names) => {
  // Of parts that are one tensor the first, by which it is told.
  const own = layerParts.filter(
    (part) => names.parts[part] !== undefined && fusedParts(names, part)[0] === part,
  );
  const roles: TensorRole[] = [
    ...(['embedding', 'finalNorm', 'head'] as const).map((part) => ({
      part,
      kind: 'weight' as const,
    })),
    ...own.flatMap((part) =>
      [0, 17].flatMap((layer) =>
        (['weight', 'bias'] as const).map((kind) => ({ part, layer, kind })),
      ),
    ),
  ];

  it('are one for each tensor, and told apart again', () => {
    const stored = roles.map((role) => tensorName(names, role) ?? expect.fail());
    expect(new Set(stored).size).toBe(roles.length);
    expect(stored.map(roleFinder(names))).toEqual(roles);
  });

  it('are no others', () => {
    const find = roleFinder(names);
    const norm =
      tensorName(names, { part: 'attentionNorm', layer: 3, kind: 'weight' }) ?? expect.fail();
    const others = [
      '',
      'x',
      `${norm}s`,
      `a.${norm}`,
      norm.replace('3', 'x'),
      norm.replace('.', '_'),
    ];
    for (const name of others) expect(find(name), name).toBeUndefined();
  });
});

describe('families', () => {
  const told = (work: (fail: (what: string) => never) => unknown): string => {
    try {
      work((what) => {
        throw new Error(what);
      });
    } catch (error) {
      return (error as Error).message;
    }
    return expect.fail('it was found');
  };

  it('are found by the type of config.json and the architecture of GGUF', () => {
    for (const family of families) {
      expect(familyOfType(family.modelType, expect.fail)).toBe(family);
      if (family.gguf !== null)
        expect(familyOfArchitecture(family.gguf.architecture, expect.fail).family).toBe(family);
    }
    const types = families.map(({ modelType }) => modelType);
    expect(new Set(types).size).toBe(types.length);
  });

  it('that are not supported are told what is missing, and what there is', () => {
    expect(told((fail) => familyOfType('mixtral', fail))).toMatch(
      /^model_type "mixtral" is not supported, as it needs a mixture of experts; supported: llama, mistral/,
    );
    expect(told((fail) => familyOfArchitecture('falcon', fail))).toMatch(
      /^general\.architecture "falcon" is not supported, as it needs LayerNorm.*; supported: llama/,
    );
    expect(told((fail) => familyOfType('toString', fail))).toMatch(/"toString" is not supported; /);
  });
});
