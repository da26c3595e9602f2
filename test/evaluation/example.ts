import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import type { EvaluationRequest, NamedMethod } from '../../src/evaluation/run.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';

/** Inner sublayers add little, so that drafts without them are often right. */
export function loadSmallEngine(): Promise<Engine> {
  return loadMiniature({ seed: 3, innerScale: 0.1 }, 'fp32');
}

export const SKIP: NamedMethod = {
  name: 'skip',
  method: {
    name: 'skip',
    plan: skipPlan({ attention: [1, 2], mlp: [1] }),
    draftLength: 4,
    exit: { exit: 'fixed' },
  },
  profile: 'folder/best.json',
};

export const LOOKUP: NamedMethod = { name: 'lookup', method: { name: 'lookup' } };

/** Two datasets, of two and one prompt; they repeat themselves, so that prompt lookup has something to find. */
export const PROMPTS = [
  { id: 'a-1', dataset: 'a', tokens: [5, 9, 21, 5, 9, 21, 5, 9] },
  { id: 'a-2', dataset: 'a', tokens: [200, 14, 3] },
  { id: 'b-1', dataset: 'b', tokens: Array.from({ length: 70 }, (_, i) => (7 * i) % 35) },
] as const;

export const REQUEST: EvaluationRequest = {
  prompts: PROMPTS,
  methods: [SKIP, LOOKUP],
  maxNewTokens: 20,
  repetitions: 2,
  warmup: 0,
  sampling: GREEDY,
  coupling: 'gumbel',
};
