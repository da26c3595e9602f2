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
import { exitCodeOf } from '../src/cli/main.js';
import { profileMethod, readFittingProfile } from '../src/decoding/profile-method.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import { evaluate } from '../src/evaluation/evaluate.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { samplerNames } from '../src/optimise/sampler.js';
import { toCsv } from '../src/reporting/csv.js';
import { fidelities } from '../src/search/defaults.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { divergencesOf } from '../src/search/measure.js';
import { writeRule } from '../src/study/events.js';
import { journalStorage } from '../src/study/journal.js';
import { evenly } from './lib/evenly.js';
import { parseFlags } from './lib/flags.js';
import { writeFigure, writeJson, writeText } from './lib/output.js';
import { bestFigure } from './lib/samplers-figures.js';
import { finalMethods, markdownReport, tableRows } from './lib/samplers-report.js';
import { type Plan, type Run, runSamplers } from './lib/samplers-run.js';

const defaults = {
  ...{ ladderSeeds: 10, ladderTrials: 160, decodeSeeds: 3, decodeSeconds: 60, paperTrials: 1000 },
  ...{ holdoutSeeds: 3, holdoutPrompts: 40 },
};

async function compare(argv: string[]): Promise<void> {
  const flags = parseFlags(argv, defaults, {
    ...{ samplers: samplerNames.join(','), profile: [] as string[], model: 'demo' },
    ...{ folder: 'results/samplers', output: 'results' },
  });
  const {
    samplers: named,
    profile: profiles,
    model: reference,
    folder,
    output,
    ...numbers
  } = flags;
  const samplers = named.split(',').map((name) => {
    const known = samplerNames.find((sampler) => sampler === name);
    if (known) return known;
    throw new InputError(`--samplers has "${name}"; there are ${samplerNames.join(', ')}.`);
  });
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
      const fitting = readFittingProfile(file, engine);
      return { name: `search ${basename(file)}`, method: profileMethod(fitting) };
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

function plansOf(numbers: typeof defaults, samplers: readonly Plan['sampler'][]): Plan[] {
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

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compare(argv));
