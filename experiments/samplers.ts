/**
 * Every sampler on the same model, prompts and costs: many seeds at fidelity ladder, a few at decode under a time cap, and the
 * paper's way (relaxed-gp, decode, 1000 trials) once; then what each found, side by side on held-out prompts. Killed at any
 * time it goes on where it was; the journals lie in the folder. Timings count on a quiet machine only.
 *
 *     node --import ./test/register-typescript.mjs experiments/samplers.ts [--ladder-seeds 10] [--ladder-trials 160]
 *       [--decode-seeds 3] [--decode-seconds 60] [--paper-trials 1000] [--holdout-seeds 3] [--holdout-prompts 40]
 *       [--samplers bo,random,…] [--profile FILE …] [--model demo] [--folder results/samplers] [--output results]
 *
 * A part of 0 is left out. `--profile` adds the winners of whole searches to the held-out comparison. A final is the candidate
 * with the best score (decode: of greatest posterior mean, where the sampler has a model), without a race of finalists and
 * without the cost rule: sampler against sampler.
 *
 * Writes samplers.json, samplers.csv (every trial), samplers.md and figures as SVG and PNG.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../src/cli/main.js';
import { profileMethod, readFittingProfile } from '../src/decoding/profile-method.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import { evaluate } from '../src/evaluation/run.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { toCsv } from '../src/reporting/csv.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { fidelities } from '../src/search/request.js';
import { samplerNames } from '../src/search/sampler.js';
import { writeRule } from '../src/search/storage/events.js';
import { journalStorage } from '../src/search/storage/journal.js';
import { divergencesOf } from '../src/search/trial.js';
import { evenly } from './lib/evenly.js';
import { writeFigure, writeJson, writeText } from './lib/output.js';
import { bestFigure } from './lib/samplers-figures.js';
import { finalMethods, markdownReport, tableRows } from './lib/samplers-report.js';
import { type Plan, type Run, runSamplers } from './lib/samplers-run.js';

async function compare(argv: string[]): Promise<void> {
  const { numbers, samplers, profiles, model: reference, folder, output } = parseFlags(argv);
  const model = await loadModel(reference);
  try {
    const { engine } = model;
    const { threads } = engine;
    const { precision, weightsHash: modelHash } = engine.model;
    const environment = describeEnvironment({ threads, precision, modelHash });
    const split = chooseHoldout(model, 'calibration', undefined, 0);
    const settings = {
      ...{ maxNewTokens: 48, repetitions: 1, warmup: 1, sampling: GREEDY },
      coupling: 'gumbel' as const,
    };
    const setting = { model, split, settings, promptsPerTrial: 8, storage: journalStorage(folder) };
    const runs: Run[] = [];
    for (const fidelity of fidelities) {
      const plans = plansOf(numbers, samplers).filter((plan) => plan.fidelity === fidelity);
      if (plans.length > 0) runs.push(...(await runSamplers(setting, fidelity, plans)));
    }
    if (runs.length === 0) throw new InputError('Every part is 0: there is nothing to run.');

    const others = profiles.map((file) => {
      const { profile } = readFittingProfile(file, engine);
      return { name: `search ${basename(file)}`, method: profileMethod(profile) };
    });
    const finals = finalMethods(runs.filter(({ seed }) => seed < numbers.holdoutSeeds));
    const methods = [...finals, ...others];
    const prompts = evenly(split.holdout.prompts, numbers.holdoutPrompts);
    console.error(`held-out prompts: ${methods.length} methods on ${prompts.length}`);
    const isMeasured = methods.length > 0 && prompts.length > 0;
    const measured = isMeasured ? await evaluate(model, { ...settings, prompts, methods }) : null;
    if (measured) await divergencesOf(model, measured);

    const table = tableRows(runs, others, measured);
    const ran = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
    const said = `Ran with ${ran.join(', ')}; ${prompts.length} held-out prompts; model ${reference}, ${precision}, ${threads} threads, load ${environment.load_average[0]} at the start (${environment.time.slice(0, 10)}).`;
    const markdown = markdownReport(table.rows, said, table.reference);
    writeText(output, 'samplers.md', markdown);
    writeText(output, 'samplers.csv', toCsv(runs.flatMap(trialRows)));
    writeJson(output, 'samplers', {
      ran: { ...numbers, samplers, profiles },
      ...{ rows: table.rows, runs: runs.map(summaryOf), environment },
    });
    for (const fidelity of fidelities) {
      const own = runs.filter((run) => run.fidelity === fidelity && run.part === 'capped');
      for (const axis of ['trials', 'seconds'] as const)
        await writeFigure(output, bestFigure(fidelity, axis, own));
    }
    console.log(markdown);
  } finally {
    await model.close();
  }
}

type Numbers = ReturnType<typeof parseFlags>['numbers'];

function plansOf(numbers: Numbers, samplers: readonly Plan['sampler'][]): Plan[] {
  const capped = (seeds: number, limits: Pick<Plan, 'fidelity' | 'trials' | 'seconds'>) =>
    Array.from({ length: seeds }, (_, seed) =>
      samplers.map((sampler): Plan => ({ sampler, seed, part: 'capped', ...limits })),
    ).flat();
  const { ladderTrials, decodeSeconds, paperTrials } = numbers;
  const endless = 1e9;
  const paper = { sampler: 'relaxed-gp', fidelity: 'decode', seed: 0, part: 'paper' } as const;
  return [
    ...capped(numbers.ladderSeeds, { fidelity: 'ladder', trials: ladderTrials, seconds: endless }),
    ...capped(numbers.decodeSeeds, { fidelity: 'decode', trials: 1e6, seconds: decodeSeconds }),
    ...(paperTrials > 0 ? [{ ...paper, trials: paperTrials, seconds: endless }] : []),
  ];
}

function trialRows({ sampler, fidelity, seed, part, curve }: Run) {
  return curve.map((point, trial) => ({ part, sampler, fidelity, seed, trial, ...point }));
}

function summaryOf({ curve, final, finalTrial, part, sampler, fidelity, seed }: Run) {
  const { seconds, best } = curve.at(-1)!;
  return {
    ...{ part, sampler, fidelity, seed, trials: curve.length, seconds, best_score: best },
    ...{ final_trial: finalTrial, final: { mask: final.mask.join(''), ...writeRule(final.draft) } },
  };
}

/** @throws InputError for a number that is none, or a sampler that is not there. */
function parseFlags(argv: string[]) {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: argv,
    options: {
      ...{ 'ladder-seeds': text('10'), 'ladder-trials': text('160'), 'decode-seeds': text('3') },
      ...{ 'decode-seconds': text('60'), 'paper-trials': text('1000') },
      ...{ 'holdout-seeds': text('3'), 'holdout-prompts': text('40') },
      samplers: text(samplerNames.join(',')),
      profile: { type: 'string', multiple: true, default: [] },
      ...{ model: text('demo'), folder: text('results/samplers'), output: text('results') },
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
  const numbers = {
    ladderSeeds: whole('ladder-seeds'),
    ladderTrials: whole('ladder-trials'),
    decodeSeeds: whole('decode-seeds'),
    decodeSeconds: whole('decode-seconds'),
    paperTrials: whole('paper-trials'),
    holdoutSeeds: whole('holdout-seeds'),
    holdoutPrompts: whole('holdout-prompts'),
  };
  const { profile: profiles, model, folder, output } = values;
  return { numbers, samplers, profiles, model, folder, output };
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compare(argv));
