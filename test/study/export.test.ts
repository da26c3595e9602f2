import { expect, it } from 'vitest';
import type { StudyEvent } from '../../src/study/events.js';
import { studyExport } from '../../src/study/export.js';

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
const rule = { draft_exit: 'threshold', draft_length: 6, threshold: 0.4 } as const;
const started = (trial: number, mask: string, second: number): StudyEvent => ({
  type: 'started',
  trial,
  candidate: { mask, draft_exit: 'fixed', draft_length: 4, threshold: 0 },
  time: `2026-01-02T03:04:0${second}.000Z`,
});
const score = { score: 1.2, variance: 0.01, figures: { c: 0.5 }, seconds: 2 };

it('tells what became of every trial, by their numbers', () => {
  const events: StudyEvent[] = [
    started(2, '0001', 0),
    started(0, '1000', 1),
    started(0, '0110', 2),
    { type: 'finished', trial: 0, rule, ...score },
    { type: 'note', key: 'command', value: 'sspec search' },
    started(1, '1111', 3),
    { type: 'failed', trial: 1, reason: 'because' },
  ];
  const none = { score: null, variance: null, figures: {}, seconds: null, reason: null };
  const fixed = { draft_exit: 'fixed', draft_length: 4, threshold: 0 };
  expect(studyExport('s', { header, events }).trials).toEqual([
    {
      ...{ trial: 0, state: 'finished', skip_attention: [1], skip_mlp: [0], ...rule, ...score },
      ...{ started: '2026-01-02T03:04:02.000Z', reason: null },
    },
    {
      ...{ trial: 1, state: 'failed', skip_attention: [0, 1], skip_mlp: [0, 1], ...fixed, ...none },
      ...{ started: '2026-01-02T03:04:03.000Z', reason: 'because' },
    },
    {
      ...{ trial: 2, state: 'open', skip_attention: [], skip_mlp: [1], ...fixed, ...none },
      started: '2026-01-02T03:04:00.000Z',
    },
  ]);
});
