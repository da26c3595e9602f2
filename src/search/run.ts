/**
 * A search: a sampler proposes masks, a scorer scores them (on the ladder by window replay, or by real decoding as in the
 * paper), the most promising ones race in real decoding on the whole calibration set, prompt lookup and the cascade beside them,
 * and the winner is measured on held-out prompts that nothing before has seen. Only that last figure is a headline: the best of
 * many noisy trials is biased upward. Where it is no gain, the profile decodes autoregressively.
 *
 * The words, those of multi-fidelity optimisation and racing:
 *
 * | word   | meaning                                                                                                   |
 * |--------|-----------------------------------------------------------------------------------------------------------|
 * | rung   | a way to measure candidates; the next one takes fewer of them, and is dearer and truer                    |
 * | ladder | the rungs in their order. The fidelity `ladder` begins with replay (ladder.ts), `decode` with real decoding |
 * | race   | candidates measured side by side, where who is clearly slower drops out (race.ts)                         |
 */
import { z } from 'zod';
import { cpuModel } from '../engine/cores.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { createSampler } from '../optimise/samplers/create.js';
import { replayStudy, type Trial } from '../study/state.js';
import { type Calibration, calibrateCosts } from './cost/calibrate.js';
import { CostModel } from './cost/cost-model.js';
import { runDistributedTrials } from './distributed/distributed-trials.js';
import { noteSetup } from './distributed/replay-setup.js';
import { runHoldout, runRace } from './final-rungs.js';
import { keptContinuations } from './kept-continuations.js';
import { createLadder, type Ladder } from './ladder.js';
import { preparationNotice, preparationSeconds } from './preparation.js';
import { samplerSources } from './sampler-sources.js';
import { decodeScorer, type Scorer } from './scorer.js';
import type { RunContext, SearchRequest } from './search-request.js';
import type { SearchResult } from './search-result.js';
import { ladderShortlist, modelShortlist } from './shortlist.js';
import { runTrials } from './trial-loop.js';
import { watched } from './watched-rungs.js';

/**
 * Runs a search, or goes on with one.
 * @throws InputError when no trial could be finished; the signal's reason when aborted (finished trials are kept).
 */
export async function runSearch(model: Model, request: SearchRequest): Promise<SearchResult> {
  const { study, onProgress = () => {} } = request;
  let best = 0;
  const report: RunContext['report'] = (stage, done, total) =>
    onProgress({ stage, done, total, ...(best > 0 ? { best } : {}) });
  const context: RunContext = { model, request, report };

  const { timeoutSeconds = Infinity } = request;
  const { finished } = replayStudy(study);
  const prepared = await preparationSeconds(context);
  const notice = preparationNotice(prepared, timeoutSeconds, finished.length);
  const deadline = performance.now() + 1000 * timeoutSeconds;
  if (notice !== undefined) request.onNotice?.(notice);
  const { calibration, trials, finalists } = await findFinalists(context, deadline, (score) => {
    best = score;
  });
  const race = await watched(study, 'race', () => runRace(context, finalists));
  const {
    measurement: holdout,
    chosen,
    interruptedPrompts,
  } = await watched(study, 'holdout', () => runHoldout(context, race));
  return {
    method: race.method,
    chosen,
    winner: race.winner,
    predictedSpeedup: race.predictedSpeedup,
    calibration: race.measurement,
    holdout,
    trials,
    costModelError: calibration
      ? Math.max(calibration.error.draft, calibration.error.target)
      : null,
    rankCorrelation: race.rankCorrelation,
    interruptedPrompts,
  };
}

/** The rungs before real decoding is raced. What they hold in memory goes with them: sessions, states, continuations. */
async function findFinalists(
  context: RunContext,
  deadline: number,
  onBest: (score: number) => void,
) {
  const { model, request, report } = context;
  const { study, signal, settings, distribution } = request;
  const calibration = request.fidelity === 'ladder' ? await calibrate(context) : null;
  const ladder = calibration ? await openLadder(context, calibration) : null;
  const prompts = request.calibration.slice(0, request.promptsPerTrial);
  const scorer: Scorer = ladder ?? decodeScorer(model, prompts, { settings, signal });
  try {
    const space = { bits: 2 * model.engine.config.layers, draft: scorer.draft };
    const sources = samplerSources(context, calibration?.model ?? null, ladder);
    const { sampler, predict } = await createSampler(request.sampler, space, request.seed, sources);
    const limits = { trials: request.trials, deadline, signal };
    const onTrial = (finished: readonly Trial[]) => {
      onBest(finished.reduce((max, { score }) => Math.max(max, score), 0));
      report('trials', finished.length, request.trials);
    };
    let trials: readonly Trial[];
    if (ladder && distribution) {
      await noteSetup(study, ladder, request, cpuModel());
      trials = await runDistributedTrials(study, sampler, ladder, limits, distribution, onTrial);
    } else trials = await runTrials(study, sampler, scorer, limits, onTrial);
    if (trials.length === 0)
      throw new InputError('The time was over before a single trial had finished.');
    const finalists = ladder
      ? await ladderShortlist(ladder, study, trials, request.finalists, (done, total) =>
          report('shortlist', done, total),
        )
      : modelShortlist(trials, request.finalists, predict);
    return { calibration, trials, finalists };
  } finally {
    await scorer.close();
  }
}

const StoredCalibration = z.object({
  model: CostModel,
  error: z.object({ draft: z.number(), target: z.number() }),
});

/** The cost model; kept in the journal, so that a study has one. */
async function calibrate({ model, request, report }: RunContext): Promise<Calibration> {
  const { study, calibration, settings, signal, seed } = request;
  const stored = StoredCalibration.safeParse(replayStudy(study).notes.get('cost_model'));
  if (stored.success) return stored.data;
  const made = await watched(study, 'costs', () =>
    calibrateCosts({
      engine: model.engine,
      prompts: calibration.map(({ tokens }) => tokens),
      settings,
      seed,
      signal,
      onProgress: (done, total) => report('costs', done, total),
    }),
  );
  await study.append({ type: 'note', key: 'cost_model', value: { ...made } });
  return made;
}

function openLadder(
  { model, request, report }: RunContext,
  calibration: Calibration,
): Promise<Ladder> {
  const { promptsPerTrial, settings, signal, study } = request;
  return createLadder({
    engine: model.engine,
    calibration,
    prompts: request.calibration,
    fitting: request.fitting,
    promptsPerTrial,
    settings,
    kept: keptContinuations(study, settings, (note) => study.append(note)),
    signal,
    report,
  });
}
