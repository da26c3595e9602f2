/**
 * Whether the interval of a search's headline holds what a long measurement gives. The held-out rung of a search is run again
 * and again, as the search runs it, with pauses between; the long measurement is all of them together.
 *
 *     node --import ./test/register-typescript.mjs experiments/headline-coverage.ts --profile results/search-demo.profile.json
 */
import { setTimeout } from 'node:timers/promises';
import { profileMethod, readFittingProfile } from '../src/decoding/profile-method.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import type { EvaluationSettings } from '../src/evaluation/run.js';
import { watchOthers } from '../src/measurement/busy.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { readProfile } from '../src/profile/profile.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { measure } from '../src/search/measure.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';

const flags = parseFlags(
  process.argv.slice(2),
  { blocks: 20, pauseSeconds: 10, maxNewTokens: 48 },
  { profile: 'results/search-demo.profile.json', output: 'results' },
);
const { reference = 'demo' } = readProfile(flags.profile).model;
const model = await loadModel(reference);
const fitting = readFittingProfile(flags.profile, model.engine);
const { profile } = fitting;
const { holdout } = chooseHoldout(model, undefined, undefined, 0);
const method = profileMethod(fitting, profile.figures.method);
const settings: EvaluationSettings = {
  maxNewTokens: flags.maxNewTokens,
  repetitions: 1,
  warmup: 2,
  sampling: GREEDY,
  coupling: 'gumbel',
};
const { threads } = model.engine;
const { precision, weightsHash: modelHash } = model.engine.model;
const environment = describeEnvironment({ threads, precision, modelHash });
const othersSince = watchOthers();
/** One run of the rung; times in seconds. */
interface Block {
  readonly speedup: number;
  readonly speedup_ci95: readonly [number, number];
  readonly seconds: number;
  readonly baseline_seconds: number;
}
const blocks: Block[] = [];
for (let i = 0; i < flags.blocks; i++) {
  if (i > 0) await setTimeout(1000 * flags.pauseSeconds);
  const [{ pooled } = { pooled: null }] = await measure(model, holdout.prompts, [method], {
    settings,
  });
  const { speedup, speedup_ci95, tokens_per_second, new_tokens } = pooled ?? {};
  if (!speedup || !speedup_ci95 || !tokens_per_second || !new_tokens)
    throw new Error('nothing was timed');
  const seconds = new_tokens / tokens_per_second;
  blocks.push({ speedup, speedup_ci95, seconds, baseline_seconds: seconds * speedup });
  console.error(`${i + 1} of ${flags.blocks}: ${speedup.toFixed(3)}`);
}
const sum = (of: (block: (typeof blocks)[number]) => number) =>
  blocks.reduce((total, block) => total + of(block), 0);
const long = sum((block) => block.baseline_seconds) / sum((block) => block.seconds);
const covered = blocks.filter(({ speedup_ci95: [low, high] }) => low <= long && long <= high);
const document = {
  model: reference.replace(/\/+$/, '').split('/').at(-1),
  method: method.name,
  prompts: holdout.prompts.length,
  blocks: blocks.length,
  long_speedup: long,
  covered: covered.length,
  lowest: Math.min(...blocks.map(({ speedup }) => speedup)),
  highest: Math.max(...blocks.map(({ speedup }) => speedup)),
  rows: blocks,
  environment: { ...environment, others_cpu_share: othersSince() },
};
writeJson(flags.output, `headline-coverage-${document.model}`, document);
console.log(JSON.stringify({ ...document, rows: undefined }, null, 2));
await model.close();
