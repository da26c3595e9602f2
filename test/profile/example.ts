import type { Profile, ProfileFigures } from '../../src/profile/schema.js';

const figures: ProfileFigures = {
  speedup: 1.31,
  speedup_ci95: [1.24, 1.37],
  draft_acceptance_rate: 0.84,
  mean_acceptance_length: 3.9,
  c: 0.47,
  tokens_per_second: 512.5,
  prompts: 40,
  new_tokens: 5120,
};

/** Costs for drafts of up to two tokens. */
export const exampleCosts: NonNullable<Profile['draft']['costs']> = {
  draft: 0.3,
  verify: [1, 1.1, 1.25],
  time_per_token: 0.8,
  acceptance: { confidence: [0.2, 0.9], probability: [0.4, 0.95] },
  next_acceptance: { confidence: [0.5], probability: [0.7] },
};

/** A valid profile with every field filled but the costs. */
export const exampleProfile: Profile = {
  schema: 'sspec-profile',
  version: 1,
  model: {
    architecture: 'LlamaForCausalLM',
    layers: 12,
    hidden_size: 512,
    heads: 8,
    kv_heads: 4,
    vocab_size: 32000,
    weights_hash: 'sha256:0123',
    reference: 'org/name@main',
  },
  precision: 'int8',
  skip_attention: [3, 5],
  skip_mlp: [4],
  draft: { draft_length: 6, draft_exit: 'threshold', threshold: 0.6 },
  sampling: { temperature: 0.7, top_p: 0.9 },
  provenance: {
    tool_version: '0.1.0',
    created: '2026-01-02T03:04:05.678Z',
    study: 'code',
    sampler: 'bo',
    seed: 0,
    trials: 300,
    dataset: { name: 'calibration', hash: 'a' },
    holdout: { name: 'holdout', hash: 'b' },
    machine: { cpu: 'Some CPU', cores: 2 },
    threads: 2,
    command: 'sspec search --trials 300',
  },
  figures: {
    calibration: figures,
    holdout: { ...figures, per_kind: { code: figures } },
  },
  pareto: [
    {
      skip_attention: [3],
      skip_mlp: [],
      draft_length: 4,
      draft_exit: 'fixed',
      threshold: 0,
      draft_acceptance_rate: 0.97,
      c: 0.93,
      speedup: 1.02,
    },
  ],
};
