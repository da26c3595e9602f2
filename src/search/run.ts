/**
 * A search: a sampler proposes masks, a scorer scores them (on the ladder by window replay, or by real decoding as in the
 * paper), the most promising ones race in real decoding on the whole calibration set, and the winner is measured on held-out
 * prompts that nothing before has seen. Only that last figure is a headline: the best of many noisy trials is biased upward.
 */
import { z } from 'zod';
import { createCoupling } from '../decoding/coupling.js';
import { generate } from '../decoding/generate.js';
import { prefillChunk } from '../engine/engine.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { MAX_DRAFT_LENGTH } from './candidate.js';
import { type Calibration, calibrateCosts } from './cost/calibrate.js';
import { CostModel } from './cost/cost-model.js';
import { runHoldout, runRace } from './final-rungs.js';
import { createLadder, type Ladder } from './ladder.js';
import type { RankedFinalist, RunContext, SearchRequest, SearchResult } from './request.js';
import { createSampler } from './samplers/create.js';
import { decodeScorer, type Scorer } from './scorer.js';
import { ladderShortlist, modelShortlist } from './shortlist.js';
import type { OpenStudy } from './storage/storage.js';
import { leaveOneOut } from './sweep.js';
import { runTrials, type Trial } from './trials.js';

/** Sequences that the leave-one-out sweep runs over. */
const sweepSequences = 4;
/** Prompts whose contexts the cost model is calibrated at. */
const costPrompts = 24;

/**
 * Runs a search, or goes on with one.
 * @throws InputError when no trial could be finished; the signal's reason when aborted (finished trials are kept).
 */
export async function runSearch(model: Model, request: SearchRequest): Promise<SearchResult> {
  const { study, signal, settings, onProgress = () => {} } = request;
  const deadline = performance.now() + 1000 * (request.timeoutSeconds ?? Infinity);
  let best = 0;
  const report: RunContext['report'] = (stage, done, total) =>
    onProgress({ stage, done, total, ...(best > 0 ? { best } : {}) });
  const context: RunContext = { model, request, report };

  const calibration = request.fidelity === 'ladder' ? await calibrate(context) : null;
  const ladder = calibration ? await openLadder(context, calibration) : null;
  const prompts = request.calibration.slice(0, request.promptsPerTrial);
  const scorer: Scorer = ladder ?? decodeScorer(model, prompts, { settings, signal });
  let trials: readonly Trial[];
  let finalists: RankedFinalist[];
  try {
    const space = { bits: 2 * model.engine.config.layers, draft: scorer.draft };
    const { sampler, predict } = await createSampler(request.sampler, space, request.seed, {
      agreement: () => sweep(context),
    });
    const limits = { trials: request.trials, deadline, signal };
    trials = await runTrials(study, sampler, scorer, limits, (finished) => {
      best = finished.reduce((max, { score }) => Math.max(max, score), 0);
      report('trials', finished.length, request.trials);
    });
    if (trials.length === 0)
      throw new InputError('The time was over before a single trial had finished.');
    finalists = ladder
      ? await ladderShortlist(ladder, trials, request.finalists, (done, total) =>
          report('shortlist', done, total),
        )
      : modelShortlist(trials, request.finalists, predict);
  } finally {
    await scorer.close();
  }
  const race = await runRace(context, finalists);
  return {
    winner: race.winner,
    predictedSpeedup: race.predictedSpeedup,
    calibration: race.measurement,
    holdout: await runHoldout(context, race.winner),
    trials,
    costModelError: calibration
      ? Math.max(calibration.error.draft, calibration.error.target)
      : null,
    rankCorrelation: race.rankCorrelation,
  };
}

const StoredCalibration = z.object({
  model: CostModel,
  error: z.object({ draft: z.number(), target: z.number() }),
});

/** The cost model; kept in the journal, so that a study has one. */
async function calibrate({ model, request, report }: RunContext): Promise<Calibration> {
  const { study, calibration, settings, signal, seed } = request;
  const stored = StoredCalibration.safeParse(noteOf(study, 'cost_model'));
  if (stored.success) return stored.data;
  const { sampling, coupling } = settings;
  const made = await calibrateCosts({
    engine: model.engine,
    prompts: calibration.slice(0, costPrompts).map(({ tokens }) => tokens),
    createCoupling: () =>
      createCoupling(coupling, sampling, model.engine.config.vocabSize, MAX_DRAFT_LENGTH),
    seed,
    signal,
    onProgress: (done, total) => report('costs', done, total),
  });
  await study.append({ type: 'note', key: 'cost_model', value: { ...made } });
  return made;
}

function openLadder(
  { model, request, report }: RunContext,
  calibration: Calibration,
): Promise<Ladder> {
  const { promptsPerTrial, settings, signal } = request;
  return createLadder({
    engine: model.engine,
    calibration,
    prompts: request.calibration,
    promptsPerTrial,
    settings,
    signal,
    onProgress: (done, total) => report('references', done, total),
  });
}

/** The leave-one-out sweep over the model's own continuations; kept in the journal, so that it runs once per study. */
async function sweep({ model, request, report }: RunContext): Promise<Float64Array> {
  const { study, calibration, settings, signal } = request;
  const bits = 2 * model.engine.config.layers;
  const known = z.array(z.number()).length(bits).safeParse(noteOf(study, 'leave_one_out'));
  if (known.success) return Float64Array.from(known.data);
  const sequences: number[][] = [];
  for (const prompt of calibration.slice(0, sweepSequences)) {
    const running = generate(model.engine, {
      prompt: prompt.tokens,
      maxNewTokens: settings.maxNewTokens,
      sampling: settings.sampling,
    });
    let step = await running.next();
    while (!step.done) step = await running.next();
    sequences.push([...prompt.tokens, ...step.value.tokens].slice(0, prefillChunk));
  }
  const gated = await model.engine.loadGated();
  const agreement = await leaveOneOut(gated, sequences, (done, total) => {
    signal?.throwIfAborted();
    report('sweep', done, total);
  }).finally(() => gated.close());
  await study.append({ type: 'note', key: 'leave_one_out', value: Array.from(agreement) });
  return agreement;
}

/** The value of a study's last note of a key. */
function noteOf({ events }: OpenStudy, key: string): unknown {
  const note = events.findLast((event) => event.type === 'note' && event.key === key);
  return note?.type === 'note' ? note.value : undefined;
}
