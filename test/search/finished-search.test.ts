import { beforeEach, expect, it } from 'vitest';
import {
  type FinishedSearch,
  finishedSearch,
  noteFinished,
} from '../../src/search/finished-search.js';
import { journalStorage } from '../../src/study/journal.js';
import type { OpenStudy } from '../../src/study/storage.js';
import { noMetrics } from '../helpers/no-metrics.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { studyStart } from './example.js';

const figures = {
  ...noMetrics,
  speedup: 1.5,
  speedup_ci95: [1.4, 1.6],
  verdict: 'faster',
  draft_acceptance_rate: 0.7,
  mean_acceptance_length: 3,
  c: 0.2,
  tokens_per_second: null,
  prompts: 4,
  new_tokens: 90,
} as const;
const prompts = { name: 'code', split: null, version: 1, hash: 'x', prompts: 4 };
const found: FinishedSearch = {
  profile: exampleProfile,
  document: {
    study: 's',
    prompts: { calibration: prompts, holdout: { ...prompts, chat_template: true, system: 'Be.' } },
    sampler: 'random',
    fidelity: 'ladder',
    trials: 2,
    wall_seconds: 3,
    calibration: { cost_model_error: 0.1, rank_correlation: null },
    method: 'autoregressive',
    best: {
      method: 'lookup',
      ...figures,
      skip_attention: [1],
      skip_mlp: [],
      bridges: [[2, 3]],
      memories: [],
      head_words: 4096,
      draft_length: 4,
      draft_exit: 'cost',
      threshold: 0,
      predicted_speedup: 1.6,
    },
    holdout: { ...figures, per_kind: { code: figures } },
    profile: 'profile.json',
  },
};
const extent = { trials: 2, finalists: 1 };

let study: OpenStudy;
beforeEach(async () => {
  const storage = journalStorage(temporaryDirectory());
  study = await storage.open('s', studyStart('random'), { resume: false });
  for (const trial of [0, 1]) await runTrial(trial);
});

async function runTrial(trial: number): Promise<void> {
  const candidate = {
    mask: '010000000000',
    draft_exit: 'fixed',
    draft_length: 4,
    threshold: 0,
  } as const;
  await study.append({ type: 'started', trial, candidate, time: '2026-01-02T03:04:05Z' });
  const score = { score: 1, variance: 0, figures: {}, seconds: 1 };
  await study.append({ type: 'finished', trial, ...score });
}

it('gives back what a search came to', async () => {
  expect(finishedSearch(study, extent)).toBeUndefined();
  await noteFinished(study, extent, found);
  expect(finishedSearch(study, extent)).toEqual(found);
});

it('reads the note of a release without bridges', async () => {
  const { bridges, memories, head_words, ...best } = found.document.best;
  const told = { finalists: 1, ...found, document: { ...found.document, best } };
  const value = JSON.parse(JSON.stringify(told));
  await study.append({ type: 'note', key: 'result', value });
  const read = finishedSearch(study, extent)!.document.best;
  expect(read).toMatchObject({ ...best, bridges: [], memories: [], head_words: null });
});

it('has none for another request, nor after a further trial', async () => {
  await noteFinished(study, extent, found);
  expect(finishedSearch(study, { ...extent, trials: 3 })).toBeUndefined();
  expect(finishedSearch(study, { ...extent, finalists: 2 })).toBeUndefined();
  await runTrial(2);
  expect(finishedSearch(study, extent)).toBeUndefined();
});

it('has none where the note is of another form or was too long', async () => {
  const text = 'x'.repeat(600_000);
  const document = { ...found.document, profile: text };
  await noteFinished(study, extent, { ...found, document });
  expect(finishedSearch(study, extent)).toBeUndefined();
  await study.append({ type: 'note', key: 'result', value: { finalists: 1, document: 'none' } });
  expect(finishedSearch(study, extent)).toBeUndefined();
});
