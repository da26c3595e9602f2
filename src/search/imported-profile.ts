import { overrideRule } from '../decoding/draft-rule.js';
import type { Model } from '../engine/load-model.js';
import { toolVersion } from '../measurement/environment.js';
import type { SkipMask } from '../profile/mask.js';
import { PROFILE_SCHEMA, type Profile } from '../profile/schema.js';
import { profileMachine, profileModel, ruleOf, skipLists } from './found-profile.js';

/** A profile of a mask that no search of ours found: it drafts with the default rule and has no figures. */
export function importedProfile(
  { engine, reference }: Model,
  mask: SkipMask,
  command: string,
): Profile {
  return {
    schema: PROFILE_SCHEMA,
    version: 1,
    model: profileModel(engine, reference),
    precision: engine.model.precision,
    ...skipLists(mask),
    draft: ruleOf({ draft: overrideRule(null, {}) }),
    provenance: {
      tool_version: toolVersion(),
      created: new Date().toISOString(),
      ...profileMachine(engine),
      command,
    },
    figures: {},
    pareto: [],
  };
}
