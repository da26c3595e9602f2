import { expect, test } from 'vitest';
import { formatStudyExport } from '../../src/reporting/study-export.js';
import type { StudyExport } from '../../src/study/export.js';

const header = {
  schema: 'sspec-study',
  version: 1,
  study: 's',
  created: '2026-01-02T03:04:05.000Z',
  sampler: 'bo',
  seed: 0,
  bits: 4,
  context: {},
} as const;
const trial = {
  trial: 0,
  state: 'finished',
  skip_attention: [1],
  skip_mlp: [],
  draft_length: 4,
  draft_exit: 'fixed',
  threshold: 0,
  score: 1.5,
  variance: 0,
  figures: {},
  seconds: 2,
  started: '2026-01-02T03:04:05.000Z',
  reason: null,
} as const;
const csv = (trials: StudyExport['trials']) =>
  formatStudyExport({ study: 's', header, notes: {}, trials }, 'csv').split('\n');

test('a study without trials has the headings', () => {
  expect(csv([])).toEqual([
    'trial,state,skip_attention,skip_mlp,draft_length,draft_exit,threshold,score,variance,seconds,started,reason',
    '',
  ]);
});

test('figures stand before the seconds, those of any trial, and take no column of ours', () => {
  const [headings, first, second] = csv([
    { ...trial, figures: { c: 0.5, score: 7 } },
    { ...trial, trial: 1, figures: { new_tokens: 9 } },
  ]);
  expect(headings).toContain(',score,variance,c,figure_score,new_tokens,seconds,');
  expect(first).toContain(',1.5,0,0.5,7,,2,');
  expect(second).toContain(',1.5,0,,,9,2,');
});
