/**
 * What the runs of samplers.ts share, so that they differ in nothing but the sampler and take minutes instead of hours: the
 * model, the prompts, the cost model, the target's continuations, the leave-one-out ranking and the skip plans, and the scores
 * of masks that replay has scored before. All of it is kept in a study of its own with the seconds that it took when it was
 * made; a run is charged for what it uses as if it had made it itself.
 */
import { z } from 'zod';
import type { Model } from '../../src/engine/load-model.js';
import type { EvaluationPrompt, EvaluationSettings } from '../../src/evaluation/run.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { CostModel } from '../../src/search/cost/cost-model.js';
import type { SearchSplit } from '../../src/search/holdout.js';
import { createLadder } from '../../src/search/ladder.js';
import type { Fidelity, SearchRequest } from '../../src/search/request.js';
import type { SamplerName } from '../../src/search/sampler.js';
import type { SamplerSources } from '../../src/search/samplers/create.js';
import type { Scored, Scorer } from '../../src/search/scorer.js';
import { noteOf, samplerSources } from '../../src/search/sources.js';
import { readRule, writeRule } from '../../src/search/storage/events.js';
import type { OpenStudy, StudyStorage } from '../../src/search/storage/storage.js';
import { createDecodeScorer } from './samplers-decode.js';

/** What the runs are made on. */
export interface Setting {
  readonly model: Model;
  readonly split: SearchSplit;
  readonly settings: EvaluationSettings;
  readonly promptsPerTrial: Readonly<Record<Fidelity, number>>;
  readonly storage: StudyStorage;
}

/** Everything that the runs of one fidelity share. */
export interface Bench {
  readonly fidelity: Fidelity;
  readonly scorer: TimedScorer;
  readonly sources: SamplerSources;
  /** Seconds before the first trial of a run: calibration and continuations, and what its sampler begins from. */
  startSeconds(sampler: SamplerName): number;
  close(): Promise<void>;
}

/** Scores, and says how many seconds that takes when it is not known yet. */
export interface TimedScorer extends Omit<Scorer, 'score'> {
  score(candidate: Parameters<Scorer['score']>[0]): Promise<{ scored: Scored; seconds: number }>;
}

/** What must be the same for runs to be compared. */
export function contextOf(
  { model, split, settings, promptsPerTrial }: Setting,
  fidelity: Fidelity,
) {
  const { engine } = model;
  return {
    weights_hash: engine.model.weightsHash,
    precision: engine.model.precision,
    threads: engine.threads,
    fidelity,
    dataset: split.calibration.dataset.hash,
    prompts_per_trial: promptsPerTrial[fidelity],
    max_new_tokens: settings.maxNewTokens,
  };
}

/** Opens a fidelity, making what is not there yet. */
export async function openBench(setting: Setting, fidelity: Fidelity): Promise<Bench> {
  const { model, split, settings, promptsPerTrial, storage } = setting;
  const start = {
    sampler: 'shared',
    seed: 0,
    bits: 2 * model.engine.config.layers,
    context: contextOf(setting, fidelity),
  };
  const study = await storage.open(`shared-${fidelity}`, start, { resume: true });
  const seconds = secondsOf(study);
  const calibration = split.calibration.prompts;
  const request: SearchRequest = {
    ...{ sampler: 'bo', fidelity, seed: 0, trials: 0, finalists: 0, holdout: [] },
    ...{ promptsPerTrial: promptsPerTrial[fidelity], calibration, settings, study },
  };
  const costs =
    fidelity === 'ladder' ? await seconds.of('costs', () => costsOf(setting, study)) : null;
  const made = samplerSources({ model, request, report: () => {} }, costs);
  const sources: SamplerSources = {
    agreement: () => seconds.of('agreement', made.agreement),
    plan: () => seconds.of('plan', made.plan),
  };
  const prompts = calibration.slice(0, promptsPerTrial[fidelity]);
  const scorer = costs
    ? await replayScorer(setting, study, costs, prompts, seconds)
    : await seconds.of('autoregressive', () => createDecodeScorer(model, prompts, settings, study));
  const used: Record<SamplerName, readonly string[]> = {
    ...{ random: [], 'relaxed-gp': [], swift: [] },
    ...{ bo: ['plan'], greedy: ['agreement'], dp: ['plan'] },
  };
  return {
    fidelity,
    scorer,
    sources,
    startSeconds: (sampler) =>
      ['costs', 'references', 'autoregressive', ...used[sampler]].reduce(
        (sum, part) => sum + seconds.known(part),
        0,
      ),
    async close() {
      await scorer.close();
      await study.close();
    },
  };
}

/** The parts of a study that took time when they were made. */
interface Seconds {
  /** Runs `make`; the seconds of the first time are those that count. */
  of<T>(part: string, make: () => Promise<T>): Promise<T>;
  known(part: string): number;
}

function secondsOf(study: OpenStudy): Seconds {
  const known = (part: string) => z.number().safeParse(noteOf(study, `${part}_seconds`)).data ?? 0;
  return {
    known,
    async of(part, make) {
      const began = performance.now();
      const made = await make();
      if (known(part) === 0) {
        const value = (performance.now() - began) / 1000;
        await study.append({ type: 'note', key: `${part}_seconds`, value });
      }
      return made;
    },
  };
}

async function costsOf({ model, split, settings }: Setting, study: OpenStudy): Promise<CostModel> {
  const stored = CostModel.safeParse(noteOf(study, 'cost_model'));
  if (stored.success) return stored.data;
  const { model: costs } = await calibrateCosts({
    engine: model.engine,
    prompts: split.calibration.prompts.map(({ tokens }) => tokens),
    settings,
    seed: 0,
  });
  await study.append({ type: 'note', key: 'cost_model', value: { ...costs } });
  return costs;
}

const StoredScore = z.object({
  mask: z.string(),
  rule: z.object({
    draft_exit: z.enum(['fixed', 'threshold', 'adaptive']),
    draft_length: z.number(),
    threshold: z.number(),
  }),
  score: z.number(),
  figures: z.record(z.string(), z.number()),
  seconds: z.number(),
});
type StoredScore = z.infer<typeof StoredScore>;

/** Window replay, in which a mask always has the same score: each is scored once for all runs. */
async function replayScorer(
  { model, settings }: Setting,
  study: OpenStudy,
  costs: CostModel,
  prompts: readonly EvaluationPrompt[],
  seconds: Seconds,
): Promise<TimedScorer> {
  const ladder = await seconds.of('references', () =>
    createLadder({
      engine: model.engine,
      calibration: { model: costs, error: { draft: 0, target: 0 } },
      prompts,
      promptsPerTrial: prompts.length,
      settings,
    }),
  );
  const scores = new Map<string, StoredScore>();
  for (const event of study.events) {
    if (event.type !== 'note' || event.key !== 'score') continue;
    const stored = StoredScore.parse(event.value);
    scores.set(stored.mask, stored);
  }
  return {
    draft: ladder.draft,
    close: ladder.close,
    async score(candidate) {
      const mask = candidate.mask.join('');
      let stored = scores.get(mask);
      if (!stored) {
        const began = performance.now();
        const made = await ladder.score(candidate);
        const { draft } = made.candidate;
        stored = {
          mask,
          rule: writeRule(draft),
          score: made.score,
          figures: { ...made.figures },
          seconds: (performance.now() - began) / 1000,
        };
        scores.set(mask, stored);
        await study.append({ type: 'note', key: 'score', value: stored });
      }
      const { score, figures, seconds: took } = stored;
      const scored = { mask: candidate.mask, draft: readRule(stored.rule) };
      return { scored: { candidate: scored, score, variance: 0, figures }, seconds: took };
    },
  };
}
