import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { journalStorage } from '../../src/study/journal.js';
import { acquireLock } from '../../src/study/lock.js';
import { openSearchStudy, type WantedStudy } from '../../src/study/open-search-study.js';
import type { OpenStudy, StudyStorage } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { studyStart } from '../search/example.js';

let directory: string;
let storage: StudyStorage;
beforeEach(() => {
  directory = temporaryDirectory();
  storage = journalStorage(directory);
});

const start = studyStart('random');
const other = { ...start, context: { precision: 'fp32' } };
const open = (wanted: Partial<WantedStudy> = {}) =>
  openSearchStudy(storage, {
    asked: undefined,
    defaultName: 'd-0',
    resume: false,
    start,
    ...wanted,
  });

/** Lets a trial end, after which a study has something to lose. */
async function endTrial(study: OpenStudy): Promise<void> {
  const trial = study.events.length;
  const rule = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
  const candidate = { mask: '010000000000', ...rule };
  await study.append({ type: 'started', trial, candidate, time: new Date().toISOString() });
  await study.append({ type: 'failed', trial, reason: 'because' });
}

/** Makes a study with an ended trial; the next has another time of creation. */
async function made(wanted: Partial<WantedStudy> = {}): Promise<string> {
  const { study } = await open(wanted);
  await endTrial(study);
  await study.close();
  await sleep(2);
  return study.header.study;
}

/** Opens, closes, and tells which study it was and how many events were in it. */
async function opened(wanted: Partial<WantedStudy> = {}) {
  const { study, notice } = await open(wanted);
  const events = study.events.length;
  await study.close();
  return { name: study.header.study, events, notice };
}

describe('a search without --study', () => {
  it('takes the next free number', async () => {
    expect([await made(), await made(), await made()]).toEqual(['d-0', 'd-0-2', 'd-0-3']);
    await storage.remove(['d-0-2']);
    expect(await made()).toBe('d-0-2');
  });

  it('takes a name of which no trial has ended', async () => {
    const { study } = await open();
    await study.append({ type: 'note', key: 'command', value: 'sspec search' });
    await study.close();
    expect(await opened({ start: other })).toEqual({ name: 'd-0', events: 0, notice: undefined });
    expect((await storage.read('d-0')).header.context).toEqual(other.context);
  });

  it('shares none with a search that runs at the same time, and passes by what is no study', async () => {
    writeFileSync(join(directory, 'd-0.jsonl'), '{"prompt":"of somebody"}\n');
    const studies = await Promise.all([open(), open(), open()]);
    const names = studies.map(({ study }) => study.header.study).sort();
    expect(names).toEqual(['d-0-2', 'd-0-3', 'd-0-4']);
    for (const { study } of studies) await study.close();
  });

  it('leaves a name to a search that has its lock and is about to make its study', async () => {
    const release = acquireLock(join(directory, 'd-0.jsonl.lock'));
    expect((await opened()).name).toBe('d-0-2');
    release();
  });

  it('tells of a folder that cannot be used', async () => {
    writeFileSync(join(directory, 'file'), '');
    storage = journalStorage(join(directory, 'file', 'studies'));
    await expect(open()).rejects.toThrow(/Cannot \w+ the study folder/);
  });
});

describe('a search with --resume and without --study', () => {
  it('goes on with the latest of the name that fits', async () => {
    for (const wanted of [start, start, other]) await made({ start: wanted });
    await made({ asked: 'd-0-note' });
    await made({ asked: 'later' });
    expect(await opened({ resume: true })).toEqual({
      name: 'd-0-2',
      events: 2,
      notice: 'Going on with study d-0-2.',
    });
    expect(await opened({ resume: true, start: other })).toMatchObject({ name: 'd-0-3' });
    // The latest, not that of the highest number.
    await storage.remove(['d-0']);
    expect(await made()).toBe('d-0');
    expect(await opened({ resume: true })).toMatchObject({ name: 'd-0', events: 2 });
  });

  it('begins a new one where none fits, and says why', async () => {
    expect(await opened({ resume: true })).toEqual({ name: 'd-0', events: 0, notice: undefined });
    await made();
    writeFileSync(join(directory, 'd-0-2.jsonl'), '{}\n');
    expect(await opened({ resume: true, start: other })).toEqual({
      name: 'd-0-3',
      events: 0,
      notice:
        'Study d-0 has context.precision "int8" but this run has "fp32": a new study is begun, d-0-3.',
    });
  });

  it('waits for nobody: a study that is being written is refused', async () => {
    const { study } = await open();
    await endTrial(study);
    await expect(open({ resume: true })).rejects.toThrow(/held by the running process/);
    await study.close();
  });
});

describe('a search with --study', () => {
  it('is refused where the study is, and says what to do', async () => {
    await made({ asked: 'mine' });
    await expect(open({ asked: 'mine' })).rejects.toThrow(
      /already holds a study: resume it \(--resume\), .*another study name, .*sspec study rm mine/,
    );
    expect(await opened({ asked: 'mine', resume: true })).toMatchObject({
      name: 'mine',
      events: 2,
    });
    mkdirSync(join(directory, 'deep'));
    await expect(open({ asked: 'deep/x' })).rejects.toThrow(/no study name/);
  });

  it('is not held up by one of which no trial has ended', async () => {
    expect((await opened({ asked: 'mine' })).name).toBe('mine');
    expect((await opened({ asked: 'mine', start: other })).name).toBe('mine');
  });
});
