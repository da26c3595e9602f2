/**
 * How far the search's cheap rung can be trusted: 60 masks, half of them from the best predicted decile of a pool, scored by
 * replay and the cost model and then decoded for real, twice, interleaved with autoregressive decoding. Writes rank
 * correlations over all and within that decile, beside those of the two measurements with each other (no prediction can agree
 * better with a measurement than it does with itself), the errors of the prediction and its bias.
 *
 *     node --import ./test/register-typescript.mjs experiments/fidelity.ts [--masks 60] [--seed 0] [--model demo]
 */
import { parseArgs } from 'node:util';
import { mean, median } from 'simple-statistics';
import { exitCodeOf } from '../src/cli/main.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import type { EvaluationSettings } from '../src/evaluation/run.js';
import { writeFileAtomic } from '../src/files.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { rankCorrelation } from '../src/measurement/statistics.js';
import { Random } from '../src/random.js';
import { randomMask } from '../src/search/candidate.js';
import { calibrateCosts } from '../src/search/cost/calibrate.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { createLadder } from '../src/search/ladder.js';
import { createBoSampler } from '../src/search/samplers/bo.js';
import type { Scored } from '../src/search/scorer.js';
import { finalistMethod, journalFigures, measure } from '../src/search/trial.js';

interface Measured {
  readonly speedup: number;
  readonly figures: Record<string, number>;
}

async function fidelity(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      masks: { type: 'string', default: '60' },
      seed: { type: 'string', default: '0' },
      model: { type: 'string', default: 'demo' },
    },
  });
  const wanted = Number(values.masks);
  const seed = Number(values.seed);
  /** Masks of the pool: drawn anywhere, and proposed by a search, so that the best decile is one worth telling apart. */
  const pool = { random: 300, searched: 200 };
  /** Masks that take turns in one evaluation. */
  const together = 5;

  const settings: EvaluationSettings = {
    maxNewTokens: 48,
    repetitions: 1,
    warmup: 1,
    sampling: GREEDY,
    coupling: 'gumbel',
  };
  const model = await loadModel(values.model);
  const { engine } = model;
  const { calibration: prompts } = chooseHoldout(model, 'calibration', undefined, seed);
  const chosen = prompts.prompts.slice(0, 16);
  const began = performance.now();
  const calibration = await calibrateCosts({
    engine,
    prompts: chosen.map(({ tokens }) => tokens),
    settings,
    seed,
  });
  const ladder = await createLadder({
    engine,
    calibration,
    prompts: chosen,
    promptsPerTrial: chosen.length,
    settings,
  });

  const bits = 2 * engine.config.layers;
  const { draft } = ladder;
  if (draft === 'search') throw new Error('the ladder chooses the rule itself');
  const random = new Random(seed, 1);
  const scored = new Map<string, Scored>();
  const scoring = performance.now();
  for (let i = 0; i < pool.random; i++) {
    const mask = randomMask(bits, random.uniform(), random);
    const key = mask.join('');
    if (!scored.has(key)) scored.set(key, await ladder.score({ mask, draft }));
  }
  const secondsPerScore = (performance.now() - scoring) / 1000 / scored.size;
  const sampler = createBoSampler({ bits, draft }, seed, []);
  for (let i = 0; i < pool.searched; i++) {
    const candidate = sampler.ask();
    const score = await ladder.score(candidate);
    sampler.tell(candidate, score.score, score.variance);
    scored.set(candidate.mask.join(''), score);
    console.error(
      `pool ${scored.size} of ${pool.random + pool.searched}, ${score.score.toFixed(3)}`,
    );
  }
  await ladder.close();

  const ranked = [...scored.values()].sort((a, b) => b.score - a.score);
  const decile = Math.round(ranked.length / 10);
  const inDecile = Math.floor(wanted / 2);
  const masks = [
    ...evenly(ranked.slice(0, decile), inDecile),
    ...evenly(ranked.slice(decile), wanted - inDecile),
  ];
  // Neighbours in rank must not be neighbours in time.
  const order = masks.map((_, i) => i);
  random.shuffle(order);

  const rounds = [await measureAll(), await measureAll()] as const;
  await model.close();

  const rows = masks.map(({ candidate, score, figures }, i) => {
    const [first, second] = rounds.map((measured) => measured[i]!) as [Measured, Measured];
    return {
      mask: candidate.mask.join(''),
      ...{ draft_exit: candidate.draft.exit, draft_length: candidate.draft.draftLength },
      threshold: candidate.draft.threshold,
      in_best_decile: i < inDecile,
      predicted_speedup: score,
      predicted: figures,
      measured_speedups: [first.speedup, second.speedup],
      measured: first.figures,
    };
  });
  const predicted = rows.map((row) => row.predicted_speedup);
  const first = rows.map((row) => row.measured_speedups[0]!);
  const second = rows.map((row) => row.measured_speedups[1]!);
  const measured = rows.map((row) => mean(row.measured_speedups));
  const bias = median(measured.map((speedup, i) => speedup / predicted[i]!));
  const errorsAfter = (factor: number) =>
    median(measured.map((speedup, i) => Math.abs((factor * predicted[i]!) / speedup - 1)));
  const spearman = (x: readonly number[], y: readonly number[]) => ({
    all: rankCorrelation(x, y) ?? null,
    best_decile: rankCorrelation(x.slice(0, inDecile), y.slice(0, inDecile)) ?? null,
  });
  const acceptance = rows.map(
    (row) => row.measured.draft_acceptance_rate! - row.predicted.draft_acceptance_rate!,
  );
  const document = {
    model: values.model,
    seed,
    prompts: chosen.length,
    max_new_tokens: settings.maxNewTokens,
    pool: ranked.length,
    masks: rows.length,
    seconds_per_score: secondsPerScore,
    cost_model_error: calibration.error,
    rank_correlation: spearman(predicted, measured),
    retest_rank_correlation: spearman(first, second),
    median_prediction_error: errorsAfter(1),
    bias,
    median_prediction_error_without_bias: errorsAfter(bias),
    acceptance_bias: mean(acceptance),
    median_acceptance_error: median(acceptance.map(Math.abs)),
    wall_seconds: (performance.now() - began) / 1000,
    environment: describeEnvironment({
      threads: engine.threads,
      precision: engine.model.precision,
      modelHash: engine.model.weightsHash,
    }),
    rows,
  };
  writeFileAtomic('results/fidelity.json', `${JSON.stringify(document, null, 2)}\n`);
  console.log(JSON.stringify({ ...document, rows: undefined }, null, 2));

  async function measureAll(): Promise<Measured[]> {
    const found: Measured[] = [];
    for (let at = 0; at < order.length; at += together) {
      const group = order.slice(at, at + together);
      const methods = group.map((i) => finalistMethod(masks[i]!.candidate));
      const measurements = await measure(model, chosen, methods, { settings });
      for (const [k, measurement] of measurements.entries()) {
        const { speedup } = measurement.pooled;
        if (speedup === null) throw new Error('nothing was timed');
        found[group[k]!] = { speedup, figures: journalFigures(measurement) };
      }
      console.error(`measured ${at + group.length} of ${order.length}`);
    }
    return found;
  }
}

/** `count` members of a ranking, at even distances from its first to its last. */
function evenly<T>(list: readonly T[], count: number): T[] {
  const step = (list.length - 1) / Math.max(1, count - 1);
  return Array.from(
    { length: Math.min(count, list.length) },
    (_, i) => list[Math.round(i * step)]!,
  );
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => fidelity(argv));
