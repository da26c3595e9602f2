/**
 * What bridges, their memory and a smaller head do for drafts: spans of layers, short and long, from the first layer on and later,
 * replayed on held-out prompts as the search replays masks (bridges fitted to other prompts). Acceptance is of the first token of a
 * draft, or where no memory tells it apart of any, everything before being the model's own; c and the speedups are by a cost model of
 * this machine.
 *
 *     node --import ./test/register-typescript.mjs experiments/bridges.ts [--model demo] [--name demo] [--output results]
 */
import { exitCodeOf } from '../src/cli/main.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import type { EvaluationSettings } from '../src/evaluation/run.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { layerSpans } from '../src/optimise/samplers/spans.js';
import { calibrateCosts } from '../src/search/cost/calibrate.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { createLadder } from '../src/search/ladder.js';
import { bestRule } from '../src/search/replay/best-rule.js';
import { proposalsAt } from '../src/search/replay/records.js';
import type { ReplayedPlan } from '../src/search/scored-plan.js';
import { bridgesFigure, type DraftPoint } from './lib/bridges-figure.js';
import { parseFlags } from './lib/flags.js';
import { writeFigure, writeJson } from './lib/output.js';

const settings: EvaluationSettings = {
  ...{ maxNewTokens: 48, repetitions: 1, warmup: 0, sampling: GREEDY, coupling: 'gumbel' },
};
/** Held-out prompts that are replayed. */
const most = 24;

async function bridges(argv: string[]): Promise<void> {
  const flags = parseFlags(argv, {}, { model: 'demo', name: 'demo', output: 'results' });
  const model = await loadModel(flags.model);
  const { engine } = model;
  const split = chooseHoldout(model, undefined, undefined, 0);
  const known = split.calibration.prompts;
  const tokens = known.map((prompt) => prompt.tokens);
  const calibration = await calibrateCosts({ engine, prompts: tokens, settings, seed: 0 });
  const prompts = split.holdout.prompts.slice(0, most);
  const ladder = await createLadder({
    ...{ engine, calibration, prompts, settings },
    promptsPerTrial: prompts.length,
    fitting: [...known, ...split.fitting],
  });
  const points: (DraftPoint & { skipped_layers: readonly [number, number] })[] = [];
  for (const mask of layerSpans(2 * engine.config.layers, spans)) {
    const first = mask.indexOf(1) / 2;
    const skipped_layers = [first, (mask.lastIndexOf(1) - 1) / 2] as const;
    const heads = await ladder.replay(mask);
    const remembering = heads.filter(({ plan }) => plan.bridges.some(({ memory }) => memory));
    const all = remembering
      .filter(({ plan }) => plan.words !== null)
      .reduce((a, b) => (predicted(b) > predicted(a) ? b : a));
    const [memory] = all.plan.bridges;
    const plain = { ...all.plan, bridges: [], words: null };
    const bridges = [await ladder.bridge(memory!)];
    const variants: readonly [DraftPoint['variant'], ReplayedPlan][] = [
      ['plain', await ladder.replayPlan(plain)],
      ['with a bridge', await ladder.replayPlan({ ...plain, bridges })],
      ['with a memory', await ladder.replayPlan({ ...all.plan, words: null })],
      ['with a memory and a smaller head', all],
    ];
    for (const [variant, replayed] of variants)
      points.push({ skipped_layers, variant, ...figuresOf(replayed) });
    console.error(`layers ${skipped_layers.join(' to ')}`);
  }
  await ladder.close();
  await model.close();
  const { precision, weightsHash: modelHash } = engine.model;
  const environment = describeEnvironment({ threads: engine.threads, precision, modelHash });
  const content = {
    model: flags.name,
    prompts: prompts.length,
    cost_model_error: calibration.error,
  };
  writeJson(flags.output, `bridges-${flags.name}`, { ...content, points, environment });
  await writeFigure(flags.output, bridgesFigure(`bridges-${flags.name}`, points));
}

/** Shares of the layers that spans have. */
const spans = [1 / 4, 3 / 8, 1 / 2, 5 / 8];

/** The speedup of drafting with a plan alone. */
function predicted(replayed: ReplayedPlan): number {
  return bestRule(replayed).time.speedup;
}

/** What a replayed plan comes to. */
function figuresOf(replayed: ReplayedPlan): Omit<DraftPoint, 'variant'> {
  const first = replayed.records.map((record) => proposalsAt(record, 0).match);
  const places = first.reduce((sum, match) => sum + match.length, 0);
  const right = first.reduce((sum, match) => sum + match.reduce((own, one) => own + one, 0), 0);
  const { pass, autoregressive } = replayed.prices;
  return {
    head_words: replayed.plan.words?.length ?? null,
    acceptance: right / places,
    c: pass / autoregressive,
    predicted_speedup: predicted(replayed),
  };
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => bridges(argv));
