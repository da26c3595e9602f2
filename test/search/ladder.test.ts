import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import type { EvaluationSettings } from '../../src/evaluation/run.js';
import { runSearch } from '../../src/search/run.js';
import type {
  SearchProgress,
  SearchRequest,
  SearchStage,
} from '../../src/search/search-request.js';
import type { SearchResult } from '../../src/search/search-result.js';
import type { StudyEvent } from '../../src/study/events.js';
import { journalStorage } from '../../src/study/journal.js';
import type { OpenStudy } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  INNER,
  settings,
  simulateClock,
  someRequest,
  studyStart,
  writeSearchModel,
} from './example.js';

let model: Model;
let restoreClock: () => void;
beforeAll(async () => {
  model = await loadModel(writeSearchModel(), { precision: 'fp32', threads: 1 });
  restoreClock = simulateClock();
});
afterAll(() => {
  restoreClock();
  return model.close();
});

const STAGES: readonly SearchStage[] = [
  ...([
    'costs',
    'references',
    'states',
    'plan',
    'trials',
    'shortlist',
    'finalists',
    'holdout',
  ] as const),
];
const sampled: EvaluationSettings = {
  ...settings,
  sampling: { temperature: 0.8, topK: 0, topP: 0.95, minP: 0, seed: 3 },
};

const notes = (events: readonly StudyEvent[]) =>
  events.flatMap((event) => (event.type === 'note' ? [event.key] : []));

function ladderRequest(study: OpenStudy, changes: Partial<SearchRequest> = {}): SearchRequest {
  return someRequest(study, { sampler: 'bo', fidelity: 'ladder', trials: 24, ...changes });
}

describe.each([
  ['greedy', settings],
  ['sampled', sampled],
] as const)('a %s search up the ladder', (_, decoding) => {
  const progress: SearchProgress[] = [];
  let events: readonly StudyEvent[];
  let result: SearchResult;
  beforeAll(async () => {
    const storage = journalStorage(temporaryDirectory());
    const study = await storage.open('s', studyStart('bo'), { resume: false });
    const onProgress = (step: SearchProgress) => progress.push(step);
    result = await runSearch(model, ladderRequest(study, { settings: decoding, onProgress }));
    events = [...study.events];
    await study.close();
  });

  it('finds a mask of sublayers that do next to nothing', () => {
    const { attention, mlp } = result.winner.plan.mask;
    const skipped = [...attention, ...mlp];
    expect(skipped.length).toBeGreaterThanOrEqual(INNER.length);
    expect(INNER).toEqual(expect.arrayContaining(skipped));
    // Of three prompts; their interval is as wide as chance has it.
    expect(result.holdout.pooled.speedup).toBeGreaterThan(1.3);
    expect(result.holdout.pooled.identical_outputs).toBe(true);
  });

  it('predicts what decoding comes to, on a machine without noise', () => {
    expect(result.costModelError).toBeLessThan(0.01);
    const finalists = events.find((event) => event.type === 'note' && event.key === 'finalists');
    const value = finalists?.type === 'note' ? finalists.value : [];
    const all = value as { method: string; predicted_speedup?: number; speedup: number }[];
    // Every finalist's cascade, the drafts alone that promise most, and lookup, of which nothing is predicted.
    const raced = ['cascade', 'cascade', 'skip', 'lookup'];
    expect(all.map(({ method }) => method)).toEqual(raced);
    for (const { predicted_speedup, speedup } of all.slice(0, -1))
      expect(Math.abs(predicted_speedup! / speedup - 1)).toBeLessThan(0.1);
    expect(all.at(-1)!.predicted_speedup).toBeUndefined();
  });

  it('goes from rung to rung, and keeps in its journal what a rung found', () => {
    const stages = progress.map(({ stage }) => stage).filter((s, i, all) => s !== all[i - 1]);
    expect(stages).toEqual(STAGES);
    // Of a plan that is more than its mask there is an ablation, too.
    const found = [...new Set(notes(events))].filter((key) => key !== 'ablation');
    const kept = [
      'cost_model',
      'continuations 0',
      'skip_plans',
      'rescored',
      'timed_finalists',
      'finalists',
      'holdout',
    ];
    expect(found).toEqual(kept);
    const finished = events.filter((event) => event.type === 'finished');
    expect(finished).toHaveLength(24);
    for (const event of finished) {
      expect(event.rule).toBeDefined();
      expect(event.figures.predicted_speedup).toBe(event.score);
    }
  });
});

it('goes on from every stage in turn as if it had never stopped', async () => {
  const start = studyStart('bo');
  const storage = journalStorage(temporaryDirectory());
  const whole = await storage.open('whole', start, { resume: false });
  const expected = await runSearch(model, ladderRequest(whole, { trials: 3 }));
  await whole.close();

  let before: readonly StudyEvent[] = [];
  /** Opens the study again; it holds what it held when it was closed. */
  const open = async () => {
    const study = await storage.open('s', start, { resume: true });
    expect(study.events).toEqual(before);
    return study;
  };
  for (const stage of STAGES) {
    const study = await open();
    const controller = new AbortController();
    const onProgress = ({ stage: at, done }: SearchProgress) => {
      if (at === stage && done > 0) controller.abort(new Error(stage));
    };
    const interrupted = { trials: 3, signal: controller.signal, onProgress };
    const running = runSearch(model, ladderRequest(study, interrupted));
    await expect(running).rejects.toThrow(stage);
    expect(study.events.slice(0, before.length)).toEqual(before);
    before = [...study.events];
    await study.close();
  }
  const study = await open();
  const result = await runSearch(model, ladderRequest(study, { trials: 3 }));
  expect(study.events.slice(0, before.length)).toEqual(before);
  for (const key of ['cost_model', 'skip_plans'])
    expect(notes(study.events).filter((other) => other === key)).toHaveLength(1);
  await study.close();
  expect(result.trials).toEqual(expected.trials);
  expect(result.winner).toEqual(expected.winner);
  expect(result.holdout.pooled.speedup).toBe(expected.holdout.pooled.speedup);
});
