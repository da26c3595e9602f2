import { z } from 'zod';
import type { Model } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import type { EvaluationSettings } from '../../src/evaluation/run.js';
import { type Candidate, candidateKey } from '../../src/optimise/candidate.js';
import type { SamplerName } from '../../src/optimise/sampler.js';
import { createSampler, type SamplerSources } from '../../src/optimise/samplers/create.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { CostModel } from '../../src/search/cost/cost-model.js';
import type { Fidelity } from '../../src/search/defaults.js';
import type { SearchSplit } from '../../src/search/holdout.js';
import { createLadder } from '../../src/search/ladder.js';
import { samplerSources } from '../../src/search/sampler-sources.js';
import { decodeScorer, type Scorer } from '../../src/search/scorer.js';
import { runTrials } from '../../src/search/trial-loop.js';
import { replayStudy } from '../../src/study/state.js';
import type { OpenStudy, StudyStorage } from '../../src/study/storage.js';

/** What the runs are made on. */
export interface Setting {
  readonly model: Model;
  readonly split: SearchSplit;
  readonly settings: EvaluationSettings;
  readonly promptsPerTrial: number;
  readonly storage: StudyStorage;
}

/** One run of one sampler. */
export interface Plan {
  readonly sampler: SamplerName;
  readonly fidelity: Fidelity;
  readonly seed: number;
  /** Most trials and most seconds of the run; whichever comes first. */
  readonly trials: number;
  readonly seconds: number;
  /** Tells runs of one sampler, fidelity and seed apart. */
  readonly part: 'capped' | 'paper';
}

/** What a run came to. */
export interface Run extends Plan {
  /** After every trial: seconds since the run began, all that it used included; its score; the best score so far. */
  readonly curve: readonly Readonly<Record<'seconds' | 'score' | 'best', number>>[];
  readonly final: Candidate;
  /** Trial that first came to the final candidate, from 0. */
  readonly finalTrial: number;
}

/**
 * Runs samplers of one fidelity, each by the code of a search and in a journal of its own, so that a run goes on where it was
 * killed. They share one cost model, one set of continuations and what some samplers begin from, so that they differ in the
 * sampler alone; a run is charged for the seconds that what it uses took when it was made.
 */
export async function runSamplers(
  setting: Setting,
  fidelity: Fidelity,
  plans: readonly Plan[],
): Promise<Run[]> {
  const { model, split, settings, promptsPerTrial } = setting;
  const { engine } = model;
  const calibration = split.calibration.prompts;
  const prompts = calibration.slice(0, promptsPerTrial);
  const { fitting } = split;
  const study = await openStudy(setting, `shared-${fidelity}`, 'shared', 0, fidelity);
  try {
    const isLadder = fidelity === 'ladder';
    const costs = isLadder ? await timed(study, 'costs', () => costModel(setting, study)) : null;
    const ladder = costs
      ? await timed(study, 'references', () => {
          const calibration = { model: costs, error: { draft: 0, target: 0 } };
          return createLadder({ engine, calibration, prompts, fitting, promptsPerTrial, settings });
        })
      : null;
    const scorer = ladder ?? decodeScorer(model, prompts, { settings });
    const request = {
      ...{ sampler: 'bo' as const, fidelity, seed: 0, trials: 0, finalists: 0, holdout: [] },
      ...{ promptsPerTrial, calibration, fitting, settings, study },
    };
    const sources = samplerSources({ model, request, report: () => {} }, costs, ladder);
    const runs: Run[] = [];
    try {
      for (const plan of plans) {
        const run = await runOne(setting, plan, { study, scorer, sources });
        runs.push(run);
        const { seconds, best } = run.curve.at(-1)!;
        console.error(
          `${fidelity} ${runs.length}/${plans.length}: ${plan.sampler}, seed ${plan.seed}: ${run.curve.length} trials, ${seconds.toFixed(1)} s, best ${best.toFixed(3)}`,
        );
      }
    } finally {
      await scorer.close();
    }
    return runs;
  } finally {
    await study.close();
  }
}

/** What the runs of a fidelity share, and the study that keeps it with the seconds that it took. */
interface Shared {
  readonly study: OpenStudy;
  readonly scorer: Scorer;
  readonly sources: SamplerSources;
}

async function runOne(setting: Setting, plan: Plan, shared: Shared): Promise<Run> {
  const { scorer, sources } = shared;
  const { fidelity, seed } = plan;
  let begin = secondsOf(shared.study, 'costs') + secondsOf(shared.study, 'references');
  const charged = async <T>(part: string, make: () => Promise<T>) => {
    const made = await timed(shared.study, part, make);
    begin += secondsOf(shared.study, part);
    return made;
  };
  const space = { bits: 2 * setting.model.engine.config.layers, draft: scorer.draft };
  const { sampler, predict } = await createSampler(plan.sampler, space, seed, {
    agreement: () => charged('agreement', sources.agreement),
    plan: () => charged('plan', sources.plan),
  });
  const name = `${plan.part}-${fidelity}-${plan.sampler}-${seed}`;
  const study = await openStudy(setting, name, plan.sampler, seed, fidelity);
  try {
    const spent = curveOf(study, begin).at(-1)?.seconds ?? begin;
    const deadline = performance.now() + 1000 * (plan.seconds - spent);
    const limits = { trials: plan.trials, deadline };
    const trials = await runTrials(study, sampler, scorer, limits, () => {});
    if (trials.length === 0)
      throw new InputError(`${plan.seconds} s are over before a trial of ${plan.sampler}.`);
    // Single decodes are noisy: a sampler that has a model of them is asked for its belief, as in a search.
    const values = trials.map(({ proposed, score }) =>
      fidelity === 'decode' && predict ? predict(proposed) : score,
    );
    const final = trials[values.indexOf(Math.max(...values))]!.candidate;
    const keys = trials.map(({ candidate }) => candidateKey(candidate));
    const finalTrial = keys.indexOf(candidateKey(final));
    return { ...plan, curve: curveOf(study, begin), final, finalTrial };
  } finally {
    await study.close();
  }
}

/** Opens a journal, to go on with it where it is there. */
function openStudy(
  { model, split, settings, promptsPerTrial, storage }: Setting,
  name: string,
  sampler: string,
  seed: number,
  fidelity: Fidelity,
): Promise<OpenStudy> {
  const { config, model: compiled, threads } = model.engine;
  const context = {
    ...{ weights_hash: compiled.weightsHash, precision: compiled.precision, threads, fidelity },
    ...{ dataset: split.calibration.dataset.hash, prompts_per_trial: promptsPerTrial },
    max_new_tokens: settings.maxNewTokens,
  };
  const start = { sampler, seed, bits: 2 * config.layers, context };
  return storage.open(name, start, { resume: true });
}

/** The cost model of all runs, from the journal where it has one. */
async function costModel(
  { model: { engine }, split: { calibration }, settings }: Setting,
  study: OpenStudy,
): Promise<CostModel> {
  const stored = CostModel.safeParse(replayStudy(study).notes.get('cost_model'));
  if (stored.success) return stored.data;
  const prompts = calibration.prompts.map(({ tokens }) => tokens);
  const { model: costs } = await calibrateCosts({ engine, prompts, settings, seed: 0 });
  await study.append({ type: 'note', key: 'cost_model', value: { ...costs } });
  return costs;
}

/** Makes what runs share; the seconds of the first time are those that count. */
async function timed<T>(study: OpenStudy, part: string, make: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const made = await make();
  const value = (performance.now() - began) / 1000;
  if (secondsOf(study, part) === 0)
    await study.append({ type: 'note', key: `${part}_seconds`, value });
  return made;
}

function secondsOf(study: OpenStudy, part: string): number {
  return z.number().safeParse(replayStudy(study).notes.get(`${part}_seconds`)).data ?? 0;
}

/** @param begin seconds before the first trial. */
function curveOf(study: OpenStudy, begin: number): Run['curve'] {
  let seconds = begin;
  let best = -Infinity;
  return replayStudy(study).finished.map((trial) => {
    seconds += trial.seconds;
    best = Math.max(best, trial.score);
    return { seconds, score: trial.score, best };
  });
}
