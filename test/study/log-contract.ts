import { beforeEach, describe, expect, it } from 'vitest';
import type { StudyEvent, StudyStart } from '../../src/study/events.js';
import { LockedError, type StudyLog } from '../../src/study/log.js';
import { logStorage } from '../../src/study/log-storage.js';
import type { StudyStorage } from '../../src/study/storage.js';

/** A log to try, empty at the start of every test. */
export interface TriedLog {
  readonly log: StudyLog;
  /** Writes records past all checks, the header's first; what was there is dropped. */
  put(study: string, records: readonly unknown[]): Promise<void>;
}

const start: StudyStart = { sampler: 'random', seed: 1, bits: 4, context: {} };
const rule = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
const started = (trial: number, mask = '0110'): StudyEvent => {
  return { type: 'started', trial, candidate: { mask, ...rule }, time: '2026-01-02T03:04:05Z' };
};
const failed = (trial: number): StudyEvent => ({ type: 'failed', trial, reason: 'because' });

/** What any log is held to. */
export function describeLog(name: string, make: () => Promise<TriedLog>): void {
  describe(`studies over ${name}`, () => {
    let tried: TriedLog;
    let storage: StudyStorage;
    beforeEach(async () => {
      tried = await make();
      storage = logStorage(tried.log);
    });
    const open = (wanted = start, resume = true) => storage.open('s', wanted, { resume });
    const places = () => ({ study: tried.log.placeOf('s'), third: tried.log.placeOf('s', 2) });

    it('keep what was appended, and are gone on with', async () => {
      const study = await open();
      await expect(open()).rejects.toThrow(LockedError);
      for (const event of [started(0), failed(0), started(1)]) await study.append(event);
      await study.close();
      await tried.put('no name', [(await storage.read('s')).header]);
      expect(await storage.list()).toEqual(['s']);
      expect((await storage.read('s')).events).toEqual([started(0), failed(0), started(1)]);
      const again = await open();
      expect(again.events).toHaveLength(3);
      await again.close();
      await storage.remove(['s']);
      await expect(storage.read('s')).rejects.toThrow(
        `There is no study "s" in ${tried.log.place}.`,
      );
    });

    it('refuse another start, a second beginning, and names that are none', async () => {
      const study = await open();
      await study.append(started(0));
      await study.append(failed(0));
      await study.close();
      await expect(open({ ...start, seed: 2 })).rejects.toThrow(/: the study has seed 1 .* has 2/);
      await expect(open(start, false)).rejects.toThrow(`${places().study} already holds a study`);
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
      expect((await storage.read('s')).events).toHaveLength(2);
    });

    it('name the record that is damaged', async () => {
      const made = await open();
      const { header } = made;
      await made.close();
      const damage = async (record: unknown) => {
        await tried.put('s', [header, started(0), record]);
        const error: unknown = await storage.read('s').catch((caught: unknown) => caught);
        return String(error);
      };
      expect(await damage(failed(1))).toContain('trial 1 ends without having started');
      expect(await damage(started(1, '01'))).toContain('has 2 bits, not 4');
      expect(await damage({ type: 'other' })).toContain(`${places().third}: `);
    });

    it('are kept to the letter', async () => {
      const value = {
        text: 'a\u0000"\\\u{1f600}',
        numbers: [1e-300, 0.1, -1.5e300, 123456789012345680000],
      };
      const study = await open();
      await study.append({ type: 'note', key: 'k', value });
      await study.close();
      expect((await storage.read('s')).events).toEqual([{ type: 'note', key: 'k', value }]);
    });

    it('are copied whole, over nothing that is there', async () => {
      const study = await open();
      for (const event of [started(0), failed(0)]) await study.append(event);
      const { header, events } = await storage.read('s');
      await expect(storage.add('s', { header, events })).rejects.toThrow(LockedError);
      await study.close();
      await expect(storage.add('s', { header, events })).rejects.toThrow(
        `${places().study} already holds a study`,
      );
      await storage.add('copy', { header, events });
      expect(await storage.read('copy')).toEqual({ header, events });
      expect(await storage.list()).toEqual(['copy', 's']);
    });

    it('are begun anew where no trial had ended, and removed all or none', async () => {
      const study = await open();
      await study.append(started(0));
      await study.close();
      const again = await open(start, false);
      expect((await storage.read('s')).events).toEqual([]);
      await expect(storage.remove(['s'])).rejects.toThrow(LockedError);
      await again.append(started(0));
      await again.close();
      await expect(storage.remove(['s', 'other'])).rejects.toThrow('no study "other"');
      expect(await storage.list()).toEqual(['s']);
    });
  });
}
