import { describe, expect, it } from 'vitest';
import { profileCosts, profileMethod } from '../../src/decoding/profile-method.js';
import { InputError } from '../../src/errors.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import type { Profile } from '../../src/profile/schema.js';
import { fittingOf } from '../helpers/plans.js';
import { exampleCosts, exampleProfile } from '../profile/example.js';

const withDraft = (draft: Profile['draft']): Profile => ({ ...exampleProfile, draft });
const rule = { draft_length: 2, threshold: 0.4 };
const costs = {
  draft: 0.3,
  verify: [1, 1.1, 1.25],
  timePerToken: 0.8,
  acceptance: { confidence: [0.2, 0.9], probability: [0.4, 0.95] },
  nextAcceptance: { confidence: [0.5], probability: [0.7] },
};

describe('what a profile decodes with', () => {
  it('has its mask and rule, and no fall-back without costs', () => {
    const mask = { attention: [3, 5], mlp: [4] };
    const exit = { exit: 'threshold', threshold: 0.6 };
    expect(profileMethod(fittingOf(exampleProfile))).toStrictEqual({
      name: 'skip',
      plan: skipPlan(mask),
      draftLength: 6,
      exit,
    });
    expect(profileMethod(fittingOf(exampleProfile), 'cascade').name).toBe('cascade');
    expect(profileCosts(exampleProfile)).toBeUndefined();
  });

  it('is another method where the profile, or the caller, says so', () => {
    const stored = withDraft({ ...rule, draft_exit: 'adaptive', costs: exampleCosts });
    expect(profileMethod(fittingOf({ ...stored, method: 'autoregressive' }))).toEqual({
      name: 'autoregressive',
    });
    expect(profileMethod(fittingOf({ ...stored, method: 'lookup' }))).toEqual({
      name: 'lookup',
      costs,
    });
    expect(profileMethod(fittingOf({ ...exampleProfile, method: 'lookup' }))).toEqual({
      name: 'lookup',
    });
    expect(profileMethod(fittingOf({ ...stored, method: 'cascade' })).name).toBe('cascade');
    expect(profileMethod(fittingOf({ ...stored, method: 'lookup' }), 'skip').name).toBe('skip');
  });

  it('falls back where costs are stored, whatever the rule', () => {
    for (const draft_exit of ['fixed', 'adaptive', 'cost'] as const) {
      const profile = withDraft({ ...rule, draft_exit, costs: exampleCosts });
      expect(profileMethod(fittingOf(profile))).toMatchObject({ fallback: costs });
    }
  });

  it('knows every rule', () => {
    const exit = (draft: Profile['draft']) => {
      const method = profileMethod(fittingOf(withDraft(draft)));
      return 'exit' in method ? method.exit : null;
    };
    expect(exit({ ...rule, draft_exit: 'fixed' })).toEqual({ exit: 'fixed' });
    expect(exit({ ...rule, draft_exit: 'adaptive' })).toEqual({
      exit: 'adaptive',
      threshold: 0.4,
    });
    expect(exit({ ...rule, draft_exit: 'cost', costs: exampleCosts })).toEqual({
      exit: 'cost',
      costs,
    });
    expect(() => exit({ ...rule, draft_exit: 'cost' })).toThrow(InputError);
  });
});
