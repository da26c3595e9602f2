import { describe, expect, it, vi } from 'vitest';
import type { Variant } from '../../experiments/lib/definition.js';
import { variantMethod } from '../../experiments/lib/variant.js';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import { profileCosts } from '../../src/decoding/profile-method.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import type { Profile } from '../../src/profile/schema.js';
import { fittingOf } from '../helpers/plans.js';
import { exampleCosts, exampleProfile } from '../profile/example.js';

const withCosts: Profile = {
  ...exampleProfile,
  draft: { draft_length: 2, draft_exit: 'cost', threshold: 0, costs: exampleCosts },
};
const calibrated: ExitCosts = {
  ...{ draft: 0.5, verify: [1, 1.2, 1.3, 1.4], timePerToken: 0.9 },
  acceptance: { confidence: [0.5], probability: [0.5] },
  nextAcceptance: { confidence: [0.5], probability: [0.5] },
};
const plan = skipPlan({ attention: [3, 5], mlp: [4] });
const variant = (changes: Partial<Variant>): Variant => ({
  ...{ name: 'some', method: 'skip', fallback: false },
  ...changes,
});

describe('a variant', () => {
  it('decodes as its profile does where it says nothing else', async () => {
    const costsOf = vi.fn(async () => calibrated);
    expect(await variantMethod(variant({}), fittingOf(exampleProfile), 'int8', costsOf)).toEqual({
      name: 'skip',
      plan,
      draftLength: 6,
      exit: { exit: 'threshold', threshold: 0.6 },
    });
    expect(costsOf).not.toHaveBeenCalled();
  });

  it('goes before its profile in length, rule and method', async () => {
    const changes = variant({
      ...{ method: 'cascade', draft_length: 3 },
      ...{ draft_exit: 'adaptive', threshold: 0.25 },
    });
    expect(
      await variantMethod(changes, fittingOf(exampleProfile), 'int8', async () => calibrated),
    ).toEqual({
      name: 'cascade',
      plan,
      draftLength: 3,
      exit: { exit: 'adaptive', threshold: 0.25 },
    });
  });

  it("takes the profile's costs for its own precision, and has others calibrated", async () => {
    const costsOf = vi.fn(async () => calibrated);
    const cost = variant({ draft_exit: 'cost', fallback: true });
    const stored = profileCosts(withCosts);
    expect(await variantMethod(cost, fittingOf(withCosts), 'int8', costsOf)).toMatchObject({
      draftLength: 2,
      exit: { exit: 'cost', costs: stored },
      fallback: stored,
    });
    expect(costsOf).not.toHaveBeenCalled();

    const own = { exit: { exit: 'cost', costs: calibrated }, fallback: calibrated, draftLength: 3 };
    expect(await variantMethod(cost, fittingOf(withCosts), 'fp32', costsOf)).toMatchObject(own);
    expect(await variantMethod(cost, fittingOf(exampleProfile), 'int8', costsOf)).toMatchObject(
      own,
    );
    expect(costsOf).toHaveBeenLastCalledWith(plan);
  });
});
