import { z } from 'zod';
import type { Model } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import type { EvaluationSettings } from '../../src/evaluation/run.js';
import { type Candidate, candidateKey } from '../../src/search/candidate.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { CostModel } from '../../src/search/cost/cost-model.js';
import type { SearchSplit } from '../../src/search/holdout.js';
import { createLadder } from '../../src/search/ladder.js';
import type { Fidelity } from '../../src/search/request.js';
import type { SamplerName } from '../../src/search/sampler.js';
import { createSampler } from '../../src/search/samplers/create.js';
import { decodeScorer } from '../../src/search/scorer.js';
import { noteOf, samplerSources } from '../../src/search/sources.js';
import type { OpenStudy, StudyStorage } from '../../src/search/storage/storage.js';
import { runTrials } from '../../src/search/trials.js';

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
  { model, split, settings, promptsPerTrial, storage }: Setting,
  fidelity: Fidelity,
  plans: readonly Plan[],
): Promise<Run[]> {
  const { engine } = model;
  const bits = 2 * engine.config.layers;
  const open = (name: string, sampler: string, seed: number) => {
    const dataset = split.calibration.dataset.hash;
    const context = {
      ...{ weights_hash: engine.model.weightsHash, precision: engine.model.precision },
      ...{ threads: engine.threads, fidelity, dataset, prompts_per_trial: promptsPerTrial },
      max_new_tokens: settings.maxNewTokens,
    };
    return storage.open(name, { sampler, seed, bits, context }, { resume: true });
  };
  const calibration = split.calibration.prompts;
  const prompts = calibration.slice(0, promptsPerTrial);
  const shared = await open(`shared-${fidelity}`, 'shared', 0);
  try {
    const isLadder = fidelity === 'ladder';
    const costs = isLadder
      ? await timed(shared, 'costs', () => costModel(model, split, settings, shared))
      : null;
    const scorer = costs
      ? await timed(shared, 'references', () => {
          const calibration = { model: costs, error: { draft: 0, target: 0 } };
          return createLadder({ engine, calibration, prompts, promptsPerTrial, settings });
        })
      : decodeScorer(model, prompts, { settings });
    const request = {
      ...{ sampler: 'bo' as const, fidelity, seed: 0, trials: 0, finalists: 0, holdout: [] },
      ...{ promptsPerTrial, calibration, settings, study: shared },
    };
    const sources = samplerSources({ model, request, report: () => {} }, costs);
    const runs: Run[] = [];
    try {
      for (const plan of plans) {
        let begin = secondsOf(shared, 'costs') + secondsOf(shared, 'references');
        const charged = async <T>(part: string, make: () => Promise<T>) => {
          const made = await timed(shared, part, make);
          begin += secondsOf(shared, part);
          return made;
        };
        const space = { bits, draft: scorer.draft };
        const { sampler, predict } = await createSampler(plan.sampler, space, plan.seed, {
          agreement: () => charged('agreement', sources.agreement),
          plan: () => charged('plan', sources.plan),
        });
        const name = `${plan.part}-${fidelity}-${plan.sampler}-${plan.seed}`;
        const study = await open(name, plan.sampler, plan.seed);
        try {
          const spent = curveOf(study, begin).at(-1)?.seconds ?? begin;
          const deadline = performance.now() + 1000 * (plan.seconds - spent);
          const limits = { trials: plan.trials, deadline };
          const trials = await runTrials(study, sampler, scorer, limits, () => {});
          if (trials.length === 0)
            throw new InputError(`${plan.seconds} s are over before a trial of ${plan.sampler}.`);
          // Single decodes are noisy: a sampler that has a model of them is asked for its belief, as in a search.
          const values = trials.map(({ proposed, score }) =>
            isLadder || !predict ? score : predict(proposed),
          );
          const final = trials[values.indexOf(Math.max(...values))]!.candidate;
          const keys = trials.map(({ candidate }) => candidateKey(candidate));
          const finalTrial = keys.indexOf(candidateKey(final));
          const curve = curveOf(study, begin);
          runs.push({ ...plan, curve, final, finalTrial });
          const { seconds, best } = curve.at(-1)!;
          console.error(
            `${name}, ${runs.length}/${plans.length}: ${curve.length} trials, ${seconds.toFixed(1)} s, best ${best.toFixed(3)}`,
          );
        } finally {
          await study.close();
        }
      }
    } finally {
      await scorer.close();
    }
    return runs;
  } finally {
    await shared.close();
  }
}

/** The cost model of all runs, from the journal where it has one. */
async function costModel(
  { engine }: Model,
  { calibration }: SearchSplit,
  settings: EvaluationSettings,
  study: OpenStudy,
): Promise<CostModel> {
  const stored = CostModel.safeParse(noteOf(study, 'cost_model'));
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
  return z.number().safeParse(noteOf(study, `${part}_seconds`)).data ?? 0;
}

/** @param begin seconds before the first trial. */
function curveOf({ events }: OpenStudy, begin: number): Run['curve'] {
  let seconds = begin;
  let best = -Infinity;
  return events.flatMap((event) => {
    if (event.type !== 'finished') return [];
    seconds += event.seconds;
    best = Math.max(best, event.score);
    return [{ seconds, score: event.score, best }];
  });
}
