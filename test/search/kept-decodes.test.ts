import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import * as hosts from '../../src/measurement/host-class.js';
import { runSearch } from '../../src/search/run.js';
import type { DecodedEvent, StudyEvent } from '../../src/study/events.js';
import { journalStorage } from '../../src/study/journal.js';
import type { OpenStudy, StudyStorage } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  simulateClock,
  somePrompts,
  someRequest,
  studyStart,
  writeSearchModel,
} from './example.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel(writeSearchModel(), { threads: 1 });
  simulateClock();
});
afterAll(() => {
  vi.restoreAllMocks();
  return model.close();
});

const decoded = (events: readonly StudyEvent[]) =>
  events.filter((event): event is DecodedEvent => event.type === 'decoded');
const places = (events: readonly DecodedEvent[]) =>
  events.map(({ measurement, method, prompt }) => `${measurement} ${prompt} ${method}`);

/** Searches until `most` generations were kept; the next one is lost, as by a kill. */
async function searchFor(storage: StudyStorage, most: number) {
  const study = await storage.open('s', studyStart('random'), { resume: true });
  let count = 0;
  const append = async (event: StudyEvent) => {
    if (event.type === 'decoded' && count++ === most) throw new Error('killed');
    await study.append(event);
  };
  const watched: OpenStudy = { ...study, append };
  const request = someRequest(watched, { trials: 2, calibration: somePrompts(10, 1) });
  try {
    return await runSearch(model, request);
  } finally {
    await study.close();
  }
}

it('a search killed in its last rungs goes on with the next generation, wherever it was', async () => {
  const whole = await searchFor(journalStorage(temporaryDirectory()), Infinity);
  const storage = journalStorage(temporaryDirectory());
  let killed = 0;
  let result: typeof whole | undefined;
  while (!result) {
    result = await searchFor(storage, 7).catch((error: unknown) => {
      expect(String(error)).toContain('killed');
      killed++;
      return undefined;
    });
  }
  const events = decoded((await storage.read('s')).events);
  // The race of five on ten prompts, of which some drop out, and the winner on three.
  expect(killed).toBe(Math.floor(events.length / 7));
  expect(events.length).toBeGreaterThan(8 * 5 + 3 * 2);
  expect(new Set(places(events)).size).toBe(events.length);
  expect(new Set(events.map(({ measurement }) => measurement)).size).toBe(2);
  // What drafts learn of earlier prompts, they learn from what was kept, too.
  expect(result.holdout.pooled.speedup).toBe(whole.holdout.pooled.speedup);
  expect(result.winner).toEqual(whole.winner);
  expect(result.holdout.pooled.new_tokens).toBe(whole.holdout.pooled.new_tokens);
  expect(result.holdout.pooled.identical_outputs).toBe(true);
  expect([whole.interruptedPrompts, result.interruptedPrompts > 0]).toEqual([0, true]);
});

it('on another kind of machine the rungs begin anew', async () => {
  const storage = journalStorage(temporaryDirectory());
  await expect(searchFor(storage, 12)).rejects.toThrow('killed');
  const before = (await storage.read('s')).events.length;
  const other = { ...hosts.hostClass(), cpu: 'another' };
  const spy = vi.spyOn(hosts, 'hostClass').mockReturnValue(other);
  await searchFor(storage, Infinity);
  spy.mockRestore();
  const { events } = await storage.read('s');
  const [old, ...anew] = [events.slice(0, before), events.slice(before)].map(decoded);
  expect(old).toHaveLength(12);
  const known = new Set(places(old!));
  expect(places(anew[0]!).filter((place) => known.has(place))).toEqual([]);
  expect(anew[0]!.length).toBeGreaterThan(40);
});
