import { beforeEach, describe, expect, it } from 'vitest';
import type { StudyEvent, StudyStart } from '../../src/study/events.js';
import { LockedError, type StudyLog } from '../../src/study/log.js';
import { logStorage } from '../../src/study/log-storage.js';
import type { StudyStorage } from '../../src/study/storage.js';

/** A log in memory, as a database would be one: nothing of a study's rules is in it. */
function memoryLog(studies: Map<string, unknown[]>): StudyLog {
  const locked = new Set<string>();
  return {
    place: 'memory',
    placeOf: (study, record) => `memory/${study}${record === undefined ? '' : `#${record}`}`,
    list: async () => [...studies.keys()],
    read: async (study) => studies.get(study),
    async lock(study) {
      if (locked.has(study)) throw new LockedError(`${study} is locked.`, 'this test');
      locked.add(study);
      return {
        create: async (header) => void studies.set(study, [header]),
        resume: async () => {},
        async append(event) {
          // Slower than a file: other events may come meanwhile.
          await new Promise((done) => setImmediate(done));
          studies.get(study)!.push(event);
        },
        close: async () => void locked.delete(study),
      };
    },
    remove: async (names) => names.forEach((name) => void studies.delete(name)),
  };
}

const start: StudyStart = { sampler: 'random', seed: 1, bits: 4, context: {} };
const rule = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
const started = (trial: number, mask = '0110'): StudyEvent => {
  return { type: 'started', trial, candidate: { mask, ...rule }, time: '2026-01-02T03:04:05Z' };
};
const failed = (trial: number): StudyEvent => ({ type: 'failed', trial, reason: 'because' });

let studies: Map<string, unknown[]>;
let storage: StudyStorage;
beforeEach(() => {
  studies = new Map();
  storage = logStorage(memoryLog(studies));
});
const open = (wanted = start, resume = true) => storage.open('s', wanted, { resume });

describe('studies over another log than files', () => {
  it('keep what was appended, and are gone on with', async () => {
    const study = await open();
    await expect(open()).rejects.toThrow(LockedError);
    for (const event of [started(0), failed(0), started(1)]) await study.append(event);
    await study.close();
    studies.set('no name', []);
    expect(await storage.list()).toEqual(['s']);
    expect((await storage.read('s')).events).toEqual([started(0), failed(0), started(1)]);
    const again = await open();
    expect(again.events).toHaveLength(3);
    await again.close();
    await storage.remove(['s']);
    await expect(storage.read('s')).rejects.toThrow('There is no study "s" in memory.');
  });

  it('refuse another start, a second beginning, and names that are none', async () => {
    const study = await open();
    await study.append(started(0));
    await study.append(failed(0));
    await study.close();
    await expect(open({ ...start, seed: 2 })).rejects.toThrow(/^memory\/s: .*seed 1 .* has 2/);
    await expect(open(start, false)).rejects.toThrow(/^memory\/s already holds a study/);
    await expect(storage.open('a b', start, { resume: true })).rejects.toThrow(/no study name/);
    // Each of these gave the lock back.
    await (await open()).close();
  });

  it('hold events to their order, also when one does not wait for the other', async () => {
    const study = await open();
    const appended = [started(0), failed(0), failed(0), started(1, '01')].map((event) =>
      study.append(event),
    );
    const outcomes = await Promise.allSettled(appended);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    ]);
    await study.close();
    expect(studies.get('s')).toHaveLength(3);
  });

  it('name the record that is damaged', async () => {
    await (await open()).close();
    const damage = async (record: unknown) => {
      const records = [...studies.get('s')!.slice(0, 1), started(0), record];
      studies.set('s', records);
      const error: unknown = await storage.read('s').catch((caught: unknown) => caught);
      return String(error);
    };
    expect(await damage(failed(1))).toMatch(/memory\/s#2: .*trial 1 ends without having started/);
    expect(await damage(started(1, '01'))).toMatch(/memory\/s#2: .*has 2 bits, not 4/);
    expect(await damage({ type: 'other' })).toMatch(/memory\/s#2: /);
  });
});
