import { expect, it } from 'vitest';
import { DRAFTERS, drafterKind, isDrafterName } from '../../../src/decoding/drafters/registry.js';
import {
  createMethod,
  longestDraft,
  METHODS,
  methodMemory,
  needsMask,
} from '../../../src/decoding/method.js';
import { skipPlan } from '../../../src/profile/draft-plan.js';
import { profileSchema } from '../../../src/profile/schema.js';
import { methodSentence } from '../../../src/reporting/method-labels.js';

const drafting = {
  plan: skipPlan({ attention: [1], mlp: [] }),
  draftLength: 3,
  exit: { exit: 'fixed' },
} as const;

it('has every kind under its own name', () => {
  const names = DRAFTERS.map(({ name }) => name);
  expect(METHODS).toEqual(['autoregressive', ...names]);
  for (const name of names) {
    expect(isDrafterName(name)).toBe(true);
    expect(drafterKind(name).name).toBe(name);
  }
  for (const other of ['autoregressive', 'custom', 'toString', ''])
    expect(isDrafterName(other)).toBe(false);
});

it.each(METHODS)('makes %s of what there is, and dispatches to it', (name) => {
  const costs = { draft: 0.3, verify: [1, 1.1], timePerToken: 0.8 };
  const method = createMethod(name, { drafting: needsMask(name) ? drafting : null, costs });
  expect(method.name).toBe(name);
  if (needsMask(name)) expect(method).toEqual({ name, ...drafting });
  if (needsMask(name)) expect(longestDraft(method)).toBe(3);
  expect(longestDraft(method) > 0).toBe(name !== 'autoregressive');
  expect(methodMemory(method).taken).toBe(false);
  if (needsMask(name)) expect(() => createMethod(name, { drafting: null })).toThrow('needs a plan');
});

it('profiles may name the kinds that say so, and no others', () => {
  const { method, figures } = profileSchema.shape;
  const stored = DRAFTERS.filter(({ inProfiles }) => inProfiles).map(({ name }) => name);
  expect([...method.unwrap().options].sort()).toEqual(['autoregressive', ...stored].sort());
  expect([...figures.shape.method.unwrap().options].sort()).toEqual([...stored].sort());
});

it('labels are subjects of sentences; methods of other names have one too', () => {
  for (const { name, label } of DRAFTERS) {
    expect(label).toMatch(/^[A-Z][^.]+$/);
    expect(methodSentence(name)).toBe(label);
  }
  expect(methodSentence('candidate 1')).toBe('Decoding with candidate 1');
});
