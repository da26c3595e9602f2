/**
 * How far the search's cheap rung can be trusted: 60 masks, half of them from the best predicted decile of a pool, scored by
 * replay and the cost model and then decoded for real, twice, interleaved with autoregressive decoding. Writes rank
 * correlations over all and within that decile, beside those of the two measurements with each other (no prediction can agree
 * better with a measurement than it does with itself), the errors of the prediction and its bias.
 *
 *     node --import ./test/register-typescript.mjs experiments/fidelity.ts [--masks 60] [--pool 500] [--seed 0] [--model demo]
 *       [--name fidelity] [--output results]
 */
import { mean, median } from 'simple-statistics';
import { exitCodeOf } from '../src/cli/main.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel, type Model } from '../src/engine/load-model.js';
import type { EvaluationPrompt, EvaluationSettings } from '../src/evaluation/run.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { rankCorrelation } from '../src/measurement/statistics.js';
import { randomMask } from '../src/optimise/candidate.js';
import { createBoSampler } from '../src/optimise/samplers/bo.js';
import { Random } from '../src/random.js';
import { calibrateCosts } from '../src/search/cost/calibrate.js';
import { type Finalist, finalistMethod } from '../src/search/finalist.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { createLadder } from '../src/search/ladder.js';
import { journalFigures, measure } from '../src/search/measure.js';
import { bestMethod, bestPlan, type PlanMethod } from '../src/search/scored-plan.js';
import type { Scored, Scorer } from '../src/search/scorer.js';
import { writeRule } from '../src/study/events.js';
import { evenly } from './lib/evenly.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';

/** Masks that take turns in one evaluation. */
const together = 5;
const settings: EvaluationSettings = {
  ...{ maxNewTokens: 48, repetitions: 1, warmup: 1, sampling: GREEDY, coupling: 'gumbel' },
};

async function fidelity(argv: string[]): Promise<void> {
  const numbers = { masks: 60, pool: 500, seed: 0 };
  const texts = { model: 'demo', name: 'fidelity', output: 'results' };
  const flags = parseFlags(argv, numbers, texts);
  const { masks: wanted, seed } = flags;
  const model = await loadModel(flags.model);
  const { engine } = model;
  const split = chooseHoldout(model, undefined, undefined, seed);
  const { fitting } = split;
  const chosen = split.calibration.prompts.slice(0, 16);
  const promptsPerTrial = chosen.length;
  const began = performance.now();
  const tokens = chosen.map((prompt) => prompt.tokens);
  const calibration = await calibrateCosts({ engine, prompts: tokens, settings, seed });
  const replay = { engine, calibration, prompts: chosen, fitting, promptsPerTrial, settings };
  const ladder = await createLadder(replay);
  const random = new Random(seed, 1);
  const pool = await scorePool(ladder, 2 * engine.config.layers, flags.pool, seed, random);

  const ranked = [...pool.scored].sort((a, b) => b.score - a.score);
  const decile = Math.round(ranked.length / 10);
  const inDecile = Math.min(decile, Math.floor(wanted / 2));
  const masks = [
    ...evenly(ranked.slice(0, decile), inDecile),
    ...evenly(ranked.slice(decile), wanted - inDecile),
  ];
  const candidates: Candidate[] = [];
  for (const { candidate } of masks) {
    const best = await bestPlan(await ladder.replay(candidate.mask));
    const { replayed, rule, costs } = best;
    candidates.push({ name: bestMethod(best), plan: replayed.plan, draft: rule, costs });
  }
  await ladder.close();
  // Neighbours in rank must not be neighbours in time.
  const order = random.shuffle(masks.map((_, i) => i));
  const first = await measureAll(model, chosen, candidates, order);
  const second = await measureAll(model, chosen, candidates, order);
  await model.close();

  const rows = masks.map(({ candidate, score, figures }, i) => ({
    ...{ method: candidates[i]!.name, mask: candidate.mask.join('') },
    ...writeRule(candidate.draft),
    ...{ in_best_decile: i < inDecile, predicted_speedup: score, predicted: figures },
    measured_speedups: [first[i]!.speedup, second[i]!.speedup],
    measured: first[i]!.figures,
  }));
  const predicted = rows.map((row) => row.predicted_speedup);
  const measured = rows.map((row) => mean(row.measured_speedups));
  const again = [first, second].map((round) => round.map(({ speedup }) => speedup));
  const bias = median(measured.map((speedup, i) => speedup / predicted[i]!));
  const errorsAfter = (factor: number) =>
    median(measured.map((speedup, i) => Math.abs((factor * predicted[i]!) / speedup - 1)));
  const spearman = (x: readonly number[], y: readonly number[]) => ({
    all: rankCorrelation(x, y) ?? null,
    best_decile: rankCorrelation(x.slice(0, inDecile), y.slice(0, inDecile)) ?? null,
  });
  // What replay tells of acceptance is of drafts alone.
  const acceptance = rows
    .filter(({ method }) => method === 'skip')
    .map((row) => row.measured.draft_acceptance_rate! - row.predicted.draft_acceptance_rate!);
  const { precision, weightsHash: modelHash } = engine.model;
  const document = {
    ...{ model: flags.model, seed, prompts: chosen.length, max_new_tokens: settings.maxNewTokens },
    ...{ pool: ranked.length, masks: rows.length, seconds_per_score: pool.secondsPerScore },
    cost_model_error: calibration.error,
    rank_correlation: spearman(predicted, measured),
    retest_rank_correlation: spearman(again[0]!, again[1]!),
    median_prediction_error: errorsAfter(1),
    bias,
    median_prediction_error_without_bias: errorsAfter(bias),
    acceptance_bias: acceptance.length > 0 ? mean(acceptance) : null,
    median_acceptance_error: acceptance.length > 0 ? median(acceptance.map(Math.abs)) : null,
    wall_seconds: (performance.now() - began) / 1000,
    environment: describeEnvironment({ threads: engine.threads, precision, modelHash }),
  };
  writeJson(flags.output, flags.name, { ...document, rows });
  console.log(JSON.stringify(document, null, 2));
}

/** A finalist, and the way of decoding that its score is of. */
type Candidate = Finalist & { readonly name: PlanMethod };

/** Masks drawn anywhere (three of five) and proposed by a search, so that the best decile is one worth telling apart. */
async function scorePool(ladder: Scorer, bits: number, size: number, seed: number, random: Random) {
  const { draft } = ladder;
  if (draft === 'search') throw new Error('the ladder chooses the rule itself');
  const scored = new Map<string, Scored>();
  const began = performance.now();
  const drawn = Math.round(0.6 * size);
  for (let i = 0; i < drawn; i++) {
    const mask = randomMask(bits, random.uniform(), random);
    scored.set(mask.join(''), await ladder.score({ mask, draft }));
  }
  const secondsPerScore = (performance.now() - began) / 1000 / drawn;
  const sampler = createBoSampler({ bits, draft }, seed, []);
  for (let i = drawn; i < size; i++) {
    const candidate = sampler.ask();
    const score = await ladder.score(candidate);
    sampler.tell(candidate, score.score, score.variance);
    scored.set(candidate.mask.join(''), score);
  }
  console.error(`scored a pool of ${scored.size}`);
  return { scored: scored.values(), secondsPerScore };
}

/** Measured speedups and figures of all candidates, decoded in the given order. */
async function measureAll(
  model: Model,
  prompts: readonly EvaluationPrompt[],
  candidates: readonly Candidate[],
  order: readonly number[],
) {
  const found: { speedup: number; figures: Record<string, number> }[] = [];
  for (let at = 0; at < order.length; at += together) {
    const group = order.slice(at, at + together);
    const own = group.map((i) => candidates[i]!);
    const measurements = await measure(
      model,
      prompts,
      own.map((one) => finalistMethod(one, one.name)),
      { settings },
    );
    for (const [k, measurement] of measurements.entries()) {
      const { speedup } = measurement.pooled;
      if (speedup === null) throw new Error('nothing was timed');
      found[group[k]!] = { speedup, figures: journalFigures(measurement) };
    }
    console.error(`measured ${at + group.length} of ${order.length}`);
  }
  return found;
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => fidelity(argv));
