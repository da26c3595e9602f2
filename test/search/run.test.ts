import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import { candidateKey } from '../../src/optimise/candidate.js';
import { createBoSampler } from '../../src/optimise/samplers/bo.js';
import { warmStart } from '../../src/optimise/samplers/warm-start.js';
import { maskToBits } from '../../src/profile/mask.js';
import { runSearch } from '../../src/search/run.js';
import type { SearchProgress } from '../../src/search/search-request.js';
import type { SearchResult } from '../../src/search/search-result.js';
import { readCandidate, type StudyEvent, type WrittenCandidate } from '../../src/study/events.js';
import { journalStorage } from '../../src/study/journal.js';
import type { OpenStudy } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  INNER,
  LAYERS,
  simulateClock,
  somePrompts,
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

const ofType = <T extends StudyEvent['type']>(events: readonly StudyEvent[], type: T) =>
  events.filter((event): event is Extract<StudyEvent, { type: T }> => event.type === type);
const notes = (events: readonly StudyEvent[]) => ofType(events, 'note').map(({ key }) => key);
const firstNumbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** The study, calling `before` ahead of every event that is written. */
function watched(study: OpenStudy, before: (event: StudyEvent) => void): OpenStudy {
  const append = (event: StudyEvent) => {
    before(event);
    return study.append(event);
  };
  return { header: study.header, events: study.events, append, close: study.close };
}

describe('a search by Bayesian optimisation', () => {
  const TRIALS = 14;
  const progress: SearchProgress[] = [];
  let events: readonly StudyEvent[];
  let result: SearchResult;

  beforeAll(async () => {
    const study = await journalStorage(temporaryDirectory()).open('s', studyStart('bo'), {
      resume: false,
    });
    const onProgress = (step: SearchProgress) => progress.push(step);
    const changes = { sampler: 'bo', trials: TRIALS, promptsPerTrial: 3, onProgress } as const;
    result = await runSearch(model, someRequest(study, changes));
    events = [...study.events];
    await study.close();
  });

  it('finds a mask that skips what does next to nothing, and nothing else', () => {
    const { attention, mlp } = result.winner.plan.mask;
    const skipped = [...attention, ...mlp];
    expect(skipped.length).toBeGreaterThanOrEqual(INNER.length);
    expect(INNER).toEqual(expect.arrayContaining(skipped));
    const { pooled } = result.holdout;
    expect(pooled.speedup).toBeGreaterThan(1.2);
    expect(pooled.verdict).toBe('faster');
    expect(pooled.draft_acceptance_rate).toBeGreaterThan(0.8);
    expect(pooled.identical_outputs).toBe(true);
  });

  it('writes the plan, every trial, the finalists and the held-out measurement, in this order', () => {
    const [plan, ...rest] = events;
    expect(plan).toMatchObject({ type: 'note', key: 'skip_plans' });
    expect(notes(rest)).toEqual(['finalists', 'holdout']);
    const trials = rest.slice(0, 2 * TRIALS).map((event) => event.type);
    expect(trials).toEqual(firstNumbers(TRIALS).flatMap(() => ['started', 'finished']));
    expect(ofType(rest, 'finished').map(({ trial }) => trial)).toEqual(firstNumbers(TRIALS));
    // Three prompts of 20 tokens each: no sequence of this model ends by itself.
    for (const { figures } of ofType(rest, 'finished')) expect(figures.new_tokens).toBe(60);
  });

  it('notes what was measured of distinct finalists, and of the winner, the fastest of them', () => {
    const [, finalists, holdout] = ofType(events, 'note').map(({ value }) => value);
    const raced = finalists as { method: string; speedup: number }[];
    expect(raced.map(({ method }) => method)).toEqual(['skip', 'skip', 'cascade', 'lookup']);
    const fastest = raced.reduce((a, b) => (b.speedup > a.speedup ? b : a));
    const candidate = {
      method: result.method,
      draft_length: expect.any(Number),
      ...(result.method === 'lookup'
        ? {}
        : { mask: maskToBits(result.winner.plan.mask, LAYERS).join('') }),
    };
    expect(fastest).toMatchObject({ ...candidate, speedup: result.calibration.pooled.speedup });
    expect(holdout).toMatchObject({ ...candidate, speedup: result.holdout.pooled.speedup });
    expect(new Set(raced.map((one) => JSON.stringify(one))).size).toBe(4);
    expect([result.calibration.pooled.prompts, result.holdout.pooled.prompts]).toEqual([4, 3]);
  });

  it('tries what the sampler proposes after the scores so far, the warm start first', () => {
    const plans = (ofType(events, 'note')[0]!.value as { mask: string }[]).map(({ mask }) =>
      Uint8Array.from(mask, Number),
    );
    // What does next to nothing is skipped before anything else.
    const weightless = plans.filter(
      (mask) => mask.filter((bit) => bit === 1).length <= INNER.length,
    );
    expect(weightless.length).toBeGreaterThan(2);
    for (const mask of weightless)
      for (const [bit, skipped] of mask.entries())
        if (skipped === 1) expect(INNER).toContain(bit >> 1);
    const space = { bits: 2 * LAYERS, draft: 'search' } as const;
    const sampler = createBoSampler(space, 1, warmStart(plans, space));
    const finished = ofType(events, 'finished');
    for (const [i, { candidate }] of ofType(events, 'started').entries()) {
      const tried = readCandidate(candidate);
      expect(candidateKey(sampler.ask()), `trial ${i}`).toBe(candidateKey(tried));
      sampler.tell(tried, finished[i]!.score, finished[i]!.variance);
    }
    // The model's mean for the winner, times how much faster than its mean the other finalist was.
    const value = ofType(events, 'note').find(({ key }) => key === 'finalists')!.value;
    const all = value as ({ method: string; speedup: number } & WrittenCandidate)[];
    // Nothing is promised of lookup and the cascade.
    if (result.method !== 'skip') expect(result.predictedSpeedup).toBeNull();
    if (result.method !== 'skip') return;
    const expected = all.filter(({ method }) => method === 'skip');
    const mean = (written: WrittenCandidate) => sampler.posterior(readCandidate(written))!.mean;
    const isWinner = ({ speedup }: { speedup: number }) =>
      speedup === result.calibration.pooled.speedup;
    const winner = expected.find(isWinner)!;
    const other = expected.find((one) => !isWinner(one))!;
    const corrected = (mean(winner) * other.speedup) / mean(other);
    expect(result.predictedSpeedup).toBeCloseTo(corrected, 10);
  });

  it('tells where it is', () => {
    const stages = progress.map(({ stage }) => stage).filter((s, i, all) => s !== all[i - 1]);
    expect(stages).toEqual(['plan', 'trials', 'finalists', 'holdout']);
    const trials = progress.filter(({ stage }) => stage === 'trials');
    expect(trials.map(({ done }) => done)).toEqual(firstNumbers(TRIALS + 1));
    expect(trials.at(-1)!.best).toBe(Math.max(...result.trials.map(({ score }) => score)));
    const last = progress.at(-1)!;
    expect(last.done).toBe(last.total);
  });
});

describe.each([
  ['bo', 'skip_plans'],
  ['greedy', 'leave_one_out'],
  ['random', null],
  ['relaxed-gp', null],
  ['dp', 'skip_plans'],
] as const)('a search by %s that was interrupted', (sampler, source) => {
  it('keeps the finished trials, tries the open one again and goes on from there', async () => {
    const storage = journalStorage(temporaryDirectory());
    const start = studyStart(sampler);
    const first = await storage.open('s', start, { resume: false });
    const controller = new AbortController();
    const reason = new Error('enough');
    const study = watched(first, (event) => {
      if (event.type === 'started' && event.trial === 3) controller.abort(reason);
    });
    const { signal } = controller;
    await expect(runSearch(model, someRequest(study, { sampler, signal }))).rejects.toBe(reason);
    await first.close();
    const before = (await storage.read('s')).events;
    expect(ofType(before, 'finished').map(({ trial }) => trial)).toEqual([0, 1, 2]);

    const second = await storage.open('s', start, { resume: true });
    const result = await runSearch(model, someRequest(second, { sampler }));
    await second.close();
    const after = (await storage.read('s')).events;
    expect(after.slice(0, before.length)).toEqual(before);
    const started = ofType(after, 'started');
    expect(started.map(({ trial }) => trial)).toEqual([0, 1, 2, 3, 3, 4, 5]);
    expect(started[4]!.candidate).toEqual(started[3]!.candidate);
    expect(ofType(after, 'finished').map(({ trial }) => trial)).toEqual(firstNumbers(6));

    // On a machine without noise the interruption has made no difference.
    const other = await storage.open('other', start, { resume: false });
    const whole = await runSearch(model, someRequest(other, { sampler }));
    expect(whole.trials).toEqual(result.trials);
    expect(whole.winner).toEqual(result.winner);
    expect(whole.holdout.pooled.speedup).toBe(result.holdout.pooled.speedup);
    await other.close();
    const sources = notes(after).filter((key) => ['leave_one_out', 'skip_plans'].includes(key));
    expect(sources).toEqual(source ? [source] : []);

    // Once more: all trials are there, so only the last measurements are made.
    const third = await storage.open('s', start, { resume: true });
    const again = await runSearch(model, someRequest(third, { sampler }));
    expect(third.events.slice(0, after.length)).toEqual(after);
    expect(notes(third.events.slice(after.length))).toEqual(['finalists', 'holdout']);
    expect(third.events).toHaveLength(after.length + 2);
    expect(again.trials).toEqual(result.trials);
    await third.close();
  });
});

describe('a search whose time is over', () => {
  it('starts no further trial and measures the finalists of those that it has', async () => {
    const storage = journalStorage(temporaryDirectory());
    const study = await storage.open('s', studyStart('random'), { resume: false });
    const began = performance.now();
    const two = await runSearch(model, someRequest(study, { trials: 2, finalists: 1 }));
    const [first] = ofType(study.events, 'finished');
    // Longer than the first trial, shorter than all that the two took.
    const timeoutSeconds = first!.seconds * 1.01;
    expect(performance.now() - began).toBeGreaterThan(1000 * timeoutSeconds);
    await study.close();

    const other = await storage.open('other', studyStart('random'), { resume: false });
    const stopped = await runSearch(model, someRequest(other, { trials: 9, timeoutSeconds }));
    expect(stopped.trials).toEqual(two.trials);
    expect(stopped.holdout.pooled.prompts).toBe(3);
    await other.close();
  });

  it('before the first trial has nothing to give', async () => {
    const study = await journalStorage(temporaryDirectory()).open('s', studyStart('bo'), {
      resume: false,
    });
    const request = someRequest(study, { sampler: 'bo', timeoutSeconds: 1e-9 });
    await expect(runSearch(model, request)).rejects.toThrow(InputError);
    // It is said before anything is prepared.
    expect(study.events).toHaveLength(0);
    await study.close();
  });
});

it('counts prompts of several datasets apart and together', async () => {
  const study = await journalStorage(temporaryDirectory()).open('s', studyStart('random'), {
    resume: false,
  });
  const holdout = [...somePrompts(2, 5, 'a'), ...somePrompts(3, 6, 'b')];
  const { holdout: measured } = await runSearch(model, someRequest(study, { trials: 1, holdout }));
  await study.close();
  expect(measured.pooled.prompts).toBe(5);
  const prompts = Object.entries(measured.perKind).map(([kind, row]) => [kind, row.prompts]);
  expect(Object.fromEntries(prompts)).toEqual({ a: 2, b: 3 });
});
