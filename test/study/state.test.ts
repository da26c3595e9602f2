import { describe, expect, it } from 'vitest';
import type { StudyEvent } from '../../src/study/events.js';
import { StudyState } from '../../src/study/state.js';

const fixed = { exit: 'fixed', draftLength: 4, threshold: 0 } as const;
const started = (trial: number, mask: string): StudyEvent => ({
  type: 'started',
  trial,
  candidate: { mask, draft_exit: 'fixed', draft_length: 4, threshold: 0 },
  time: '2026-01-02T03:04:05.000Z',
});
const finished = (trial: number, score: number): Extract<StudyEvent, { type: 'finished' }> => ({
  ...{ type: 'finished', trial, score, variance: 0.01, figures: { c: 0.5 }, seconds: 2 },
});
const note = (key: string, value: string): StudyEvent => ({ type: 'note', key, value });

function stateAfter(...events: StudyEvent[]): StudyState {
  const state = new StudyState(4);
  for (const event of events) {
    expect(state.fault(event)).toBeUndefined();
    state.accept(event);
  }
  return state;
}

describe('the state of a study', () => {
  it('has finished trials in the order in which they ended, with the rule that the score chose', () => {
    const rule = { draft_exit: 'adaptive', draft_length: 6, threshold: 0.3 } as const;
    const { finished: ended } = stateAfter(
      ...[started(0, '0001'), started(1, '1000'), finished(1, 1.5)],
      { ...finished(0, 1.2), rule },
    );
    expect(ended.map(({ number, score }) => [number, score])).toEqual([
      [1, 1.5],
      [0, 1.2],
    ]);
    const mask = Uint8Array.of(0, 0, 0, 1);
    expect(ended[1]).toMatchObject({
      proposed: { mask, draft: fixed },
      candidate: { mask, draft: { exit: 'adaptive', draftLength: 6, threshold: 0.3 } },
    });
  });

  it('has every trial, one that began twice as it began the second time', () => {
    const { trials } = stateAfter(
      ...[started(2, '0001'), started(0, '0001'), started(2, '0010')],
      ...[{ type: 'failed' as const, trial: 0, reason: 'because' }, started(1, '0100')],
    );
    expect(trials.map(({ number, state }) => [number, state])).toEqual([
      [0, 'failed'],
      [1, 'open'],
      [2, 'open'],
    ]);
    expect(trials[2]!.proposed.mask).toEqual(Uint8Array.of(0, 0, 1, 0));
  });

  it('has the last note of every key', () => {
    const { notes } = stateAfter(note('a', '1'), note('b', '2'), note('a', '3'));
    expect([...notes]).toEqual([
      ['a', '3'],
      ['b', '2'],
    ]);
  });

  it('says what is out of order', () => {
    const state = stateAfter(started(0, '0001'), finished(0, 1), started(1, '0001'));
    expect(state.fault(started(0, '0001'))).toBe('trial 0 had already ended');
    expect(state.fault(finished(0, 1))).toBe('trial 0 had already ended');
    expect(state.fault(finished(2, 1))).toBe('trial 2 ends without having started');
    expect(state.fault(started(1, '011'))).toBe('the mask of trial 1 has 3 bits, not 4');
    expect(state.fault(started(1, '0111'))).toBeUndefined();
  });
});

it('has a generation of each place of a measurement once', () => {
  const at = {
    measurement: '0123456789abcdef',
    method: 'autoregressive',
    prompt: 3,
    repetition: 0,
  };
  const none = { drafted: [], accepted: [], draft_seconds: [], target_seconds: [] };
  const statistics = {
    ...{
      new_tokens: 1,
      prefill_seconds: 1,
      decode_seconds: 0,
      draft_seconds: 0,
      target_seconds: 0,
    },
    ...{ target_passes: 0, draft_passes: 0, proposed_tokens: 0, accepted_tokens: 0 },
    ...{ reached: [], accepted_at: [] },
  };
  const event: StudyEvent = {
    ...{ type: 'decoded', ...at, order: 0, run: '2026-01-02T03:04:05.000Z', tokens: [7] },
    ...{ finish_reason: 'eos', statistics, rounds: none, elapsed_seconds: 1, peak_memory_bytes: 1 },
  };
  const state = stateAfter(event);
  expect(state.decoded(at)).toEqual(event);
  expect(state.decoded({ ...at, prompt: 4 })).toBeUndefined();
  expect(state.fault(event)).toBe('prompt 3 was decoded with autoregressive already');
  expect(state.fault({ ...event, repetition: 1 })).toBeUndefined();
});
