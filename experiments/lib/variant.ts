import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import { DEFAULT_THRESHOLD, type DraftExit } from '../../src/decoding/draft-exit.js';
import type { Method } from '../../src/decoding/method.js';
import { profileCosts } from '../../src/decoding/profile-method.js';
import { InputError } from '../../src/errors.js';
import type { Precision } from '../../src/graph/quantise.js';
import type { SkipMask } from '../../src/profile/mask.js';
import type { Profile } from '../../src/profile/schema.js';
import type { Variant } from './definition.js';

/** What must be known of the loaded model. */
export interface VariantModel {
  readonly layers: number;
  readonly precision: Precision;
}

/** Costs and calibrated acceptance of a mask on the loaded model. */
export type CostsOf = (mask: SkipMask) => Promise<ExitCosts>;

/**
 * What a variant decodes with: the profile's mask and draft-length rule, but for the fields that it gives itself. Costs are
 * the profile's where it stores them for this mask and precision, else calibrated here.
 * @param profile null for a variant that drafts without a mask.
 * @throws InputError for a mask with a layer that the model does not have.
 */
export async function variantMethod(
  variant: Variant,
  profile: Profile | null,
  { layers, precision }: VariantModel,
  calibrated: CostsOf,
): Promise<Method> {
  if (variant.method === 'lookup') return { name: 'lookup' };
  if (!profile) throw new TypeError(`the variant ${variant.name} has no profile`);
  const mask = {
    attention: variant.skip_attention ?? profile.skip_attention,
    mlp: variant.skip_mlp ?? profile.skip_mlp,
  };
  const missing = [...mask.attention, ...mask.mlp].find((layer) => layer >= layers);
  if (missing !== undefined)
    throw new InputError(
      `The variant "${variant.name}" skips layer ${missing}; the model's ${layers} layers are numbered 0 to ${layers - 1}.`,
    );
  const isOwnMask = variant.skip_attention === undefined && variant.skip_mlp === undefined;
  const isOwn = isOwnMask && profile.precision === precision;
  const costsOf = async () => (isOwn && profileCosts(profile)) || (await calibrated(mask));
  const exit = await exitOf(variant, profile, costsOf);
  return {
    name: variant.method,
    mask,
    draftLength: draftLengthOf(variant, profile, exit),
    exit,
    ...(variant.fallback && { fallback: await costsOf() }),
  };
}

async function exitOf(
  variant: Variant,
  { draft }: Profile,
  costsOf: () => Promise<ExitCosts>,
): Promise<DraftExit> {
  const exit = variant.draft_exit ?? draft.draft_exit;
  if (exit === 'fixed') return { exit };
  if (exit === 'cost') return { exit, costs: await costsOf() };
  const hasThreshold = draft.draft_exit === 'threshold' || draft.draft_exit === 'adaptive';
  const stored = hasThreshold ? draft.threshold : DEFAULT_THRESHOLD;
  return { exit, threshold: variant.threshold ?? stored };
}

/** The cost rule weighs every length that it knows the costs of, unless the variant says how many. */
function draftLengthOf({ draft_length }: Variant, { draft }: Profile, exit: DraftExit): number {
  if (draft_length !== undefined) return draft_length;
  return exit.exit === 'cost' ? exit.costs.verify.length - 1 : draft.draft_length;
}
