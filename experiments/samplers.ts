/**
 * Every sampler on the same model, prompts and costs: many seeds at fidelity ladder, a few at decode under a time cap, and the
 * paper's way (relaxed-gp, decode, 1000 trials) once; then what each found, side by side on held-out prompts. Killed at any
 * time it goes on where it was; the journals lie in the folder. Timings count on a quiet machine only.
 *
 *     node --import ./test/register-typescript.mjs experiments/samplers.ts [--ladder-seeds 10] [--ladder-trials 160]
 *       [--decode-seeds 3] [--decode-seconds 60] [--paper-trials 1000] [--holdout-seeds 3] [--holdout-prompts 40]
 *       [--samplers bo,random,…] [--profile FILE …] [--model demo] [--folder results/samplers] [--output results]
 *
 * A part of 0 is left out. `--profile` adds the winners of whole searches to the held-out comparison. At fidelity ladder all
 * runs share model, continuations, cost model and the scores of masks that were scored before; each is charged for the seconds
 * that they took (lib/samplers-bench.ts). A final is the candidate with the best score (decode: of greatest posterior mean,
 * where the sampler has a model), without a race of finalists and without the cost rule: sampler against sampler.
 *
 * Writes samplers.json, samplers.csv (every trial), samplers.md and figures as SVG and PNG.
 */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../src/cli/main.js';
import { profileMethod, readFittingProfile } from '../src/decoding/profile-method.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import type { EvaluationPrompt } from '../src/evaluation/run.js';
import { writeFileAtomic } from '../src/files.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { toCsv } from '../src/reporting/csv.js';
import { fileSvg } from '../src/reporting/figures/figure.js';
import { pngRenderer } from '../src/reporting/png.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { type Fidelity, fidelities } from '../src/search/request.js';
import { type SamplerName, samplerNames } from '../src/search/sampler.js';
import { journalStorage } from '../src/search/storage/journal.js';
import { openBench, type Setting } from './lib/samplers-bench.js';
import { bestFigure } from './lib/samplers-figures.js';
import { measureHoldout } from './lib/samplers-holdout.js';
import {
  finalMethods,
  groupsOf,
  markdownReport,
  referenceGroup,
  tableRows,
} from './lib/samplers-report.js';
import { type Plan, type Run, runSampler } from './lib/samplers-run.js';

const maxNewTokens = 48;
const promptsPerTrial = { ladder: 8, decode: 8 };

async function compare(argv: string[]): Promise<void> {
  const options = parseFlags(argv);
  mkdirSync(options.folder, { recursive: true });
  const model = await loadModel(options.model);
  try {
    const { engine } = model;
    const environment = describeEnvironment({
      threads: engine.threads,
      precision: engine.model.precision,
      modelHash: engine.model.weightsHash,
    });
    const setting: Setting = {
      model,
      split: chooseHoldout(model, 'calibration', undefined, 0),
      settings: { maxNewTokens, repetitions: 1, warmup: 1, sampling: GREEDY, coupling: 'gumbel' },
      promptsPerTrial,
      storage: journalStorage(options.folder),
    };
    const runs: Run[] = [];
    for (const fidelity of fidelities) {
      const plans = plansOf(options, fidelity);
      if (plans.length === 0) continue;
      const bench = await openBench(setting, fidelity);
      try {
        for (const [i, plan] of plans.entries()) {
          const run = await runSampler(setting, bench, plan);
          runs.push(run);
          const { seconds, best } = run.curve.at(-1)!;
          console.error(
            `${fidelity} ${i + 1}/${plans.length}: ${plan.sampler}, seed ${plan.seed}: ${run.curve.length} trials, ${seconds.toFixed(1)} s, best ${best.toFixed(3)}`,
          );
        }
      } finally {
        await bench.close();
      }
    }
    if (runs.length === 0) throw new InputError('Every part is 0: there is nothing to run.');

    const others = options.profiles.map((file) => {
      const { profile } = readFittingProfile(file, engine);
      return { name: `search ${basename(file)}`, method: profileMethod(profile) };
    });
    const measuredRuns = runs.filter(({ seed }) => seed < options.holdoutSeeds);
    const methods = [...finalMethods(measuredRuns), ...others];
    const prompts = spread(setting.split.holdout.prompts, options.holdoutPrompts);
    const isMeasured = methods.length > 0 && prompts.length > 0;
    const times = isMeasured
      ? await measureHoldout(
          setting,
          methods,
          prompts,
          join(options.folder, 'holdout.jsonl'),
          (done, total) => console.error(`held-out prompts: ${done}/${total}`),
        )
      : new Map();
    const groups = groupsOf(runs);
    const rows = tableRows(groups, times, others);
    const { samplers, profiles, model: reference, folder: _, output, ...numbers } = options;
    const ran = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
    const said = `Ran with ${ran.join(', ')}; ${prompts.length} held-out prompts; model ${reference}, ${environment.precision}, ${environment.threads} threads, load ${environment.load_average[0]} at the start (${environment.time.slice(0, 10)}).`;
    const write = (name: string, content: string | Uint8Array) =>
      writeFileAtomic(join(output, name), content);
    write('samplers.md', markdownReport(rows, said, referenceGroup(groups)?.name ?? 'none'));
    write('samplers.csv', toCsv(runs.flatMap(trialRows)));
    write(
      'samplers.json',
      `${JSON.stringify({ ran: { ...numbers, samplers, profiles }, rows, runs: runs.map(summaryOf), environment }, null, 2)}\n`,
    );
    for (const fidelity of fidelities)
      for (const axis of ['trials', 'seconds'] as const) {
        const shown = runs.filter((run) => run.fidelity === fidelity && run.part === 'capped');
        const figure = bestFigure(fidelity, axis, shown, samplerNames);
        if (!figure) continue;
        const svg = fileSvg(figure);
        write(`${figure.name}.svg`, svg);
        const png = await pngRenderer();
        if (png) write(`${figure.name}.png`, png(svg));
      }
    console.log(markdownReport(rows, said, referenceGroup(groups)?.name ?? 'none'));
  } finally {
    await model.close();
  }
}

interface Options {
  readonly ladderSeeds: number;
  readonly ladderTrials: number;
  readonly decodeSeeds: number;
  readonly decodeSeconds: number;
  readonly paperTrials: number;
  readonly holdoutSeeds: number;
  readonly holdoutPrompts: number;
  readonly samplers: readonly SamplerName[];
  readonly profiles: readonly string[];
  readonly model: string;
  readonly folder: string;
  readonly output: string;
}

function plansOf(options: Options, fidelity: Fidelity): Plan[] {
  const isLadder = fidelity === 'ladder';
  const seeds = isLadder ? options.ladderSeeds : options.decodeSeeds;
  const limits = isLadder
    ? { trials: options.ladderTrials, seconds: 1e9 }
    : { trials: 1e6, seconds: options.decodeSeconds };
  const plans = Array.from({ length: seeds }, (_, seed) =>
    options.samplers.map(
      (sampler): Plan => ({ sampler, fidelity, seed, part: 'capped', ...limits }),
    ),
  ).flat();
  if (isLadder || options.paperTrials === 0) return plans;
  const paper = { sampler: 'relaxed-gp', fidelity, seed: 0, part: 'paper' } as const;
  return [...plans, { ...paper, trials: options.paperTrials, seconds: 1e9 }];
}

/** `count` prompts, evenly from the whole list: the bundled sets lie one kind after the other. */
function spread(prompts: readonly EvaluationPrompt[], count: number): EvaluationPrompt[] {
  if (count >= prompts.length) return [...prompts];
  return Array.from(
    { length: count },
    (_, i) => prompts[Math.floor((i * prompts.length) / count)]!,
  );
}

function trialRows({ sampler, fidelity, seed, part, curve }: Run) {
  return curve.map(({ seconds, score, best }, trial) => ({
    ...{ part, sampler, fidelity, seed, trial, seconds, score, best },
  }));
}

function summaryOf({ curve, final, finalTrial, ...plan }: Run) {
  const { seconds, best } = curve.at(-1)!;
  return {
    ...{ part: plan.part, sampler: plan.sampler, fidelity: plan.fidelity, seed: plan.seed },
    ...{ trials: curve.length, seconds, best_score: best, final_trial: finalTrial },
    final: {
      mask: final.mask.join(''),
      draft_exit: final.draft.exit,
      draft_length: final.draft.draftLength,
      threshold: final.draft.threshold,
    },
  };
}

/** @throws InputError for a number that is none, or a sampler that is not there. */
function parseFlags(argv: string[]): Options {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: argv,
    options: {
      'ladder-seeds': text('10'),
      'ladder-trials': text('160'),
      'decode-seeds': text('3'),
      'decode-seconds': text('60'),
      'paper-trials': text('1000'),
      'holdout-seeds': text('3'),
      'holdout-prompts': text('40'),
      samplers: text(samplerNames.join(',')),
      profile: { type: 'string', multiple: true, default: [] },
      model: text('demo'),
      folder: text('results/samplers'),
      output: text('results'),
    },
  });
  const whole = (name: keyof typeof values & `${string}-${string}`): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new InputError(`--${name} is "${values[name]}": give a whole number of 0 or more.`);
  };
  const samplers = values.samplers.split(',').map((name) => {
    const known = samplerNames.find((sampler) => sampler === name);
    if (known) return known;
    throw new InputError(`--samplers has "${name}"; there are ${samplerNames.join(', ')}.`);
  });
  return {
    ladderSeeds: whole('ladder-seeds'),
    ladderTrials: whole('ladder-trials'),
    decodeSeeds: whole('decode-seeds'),
    decodeSeconds: whole('decode-seconds'),
    paperTrials: whole('paper-trials'),
    holdoutSeeds: whole('holdout-seeds'),
    holdoutPrompts: whole('holdout-prompts'),
    ...{ samplers, profiles: values.profile, model: values.model },
    ...{ folder: values.folder, output: values.output },
  };
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compare(argv));
