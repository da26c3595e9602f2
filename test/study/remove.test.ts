import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { journalStorage } from '../../src/study/journal.js';
import { LockedError } from '../../src/study/log.js';
import type { StudyStorage } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { studyStart } from '../search/example.js';

let directory: string;
let storage: StudyStorage;
beforeEach(async () => {
  directory = temporaryDirectory();
  storage = journalStorage(directory);
  for (const name of ['a', 'b', 'c']) await (await open(name)).close();
});
const open = (name: string) => storage.open(name, studyStart('random'), { resume: true });

describe('removing studies', () => {
  it('leaves nothing of them, and the others alone', async () => {
    await storage.remove(['a', 'c', 'a']);
    expect(readdirSync(directory)).toEqual(['b.jsonl']);
  });

  it('removes damaged ones and the lock of a process that is gone', async () => {
    writeFileSync(join(directory, 'a.jsonl'), '{"schema":"sspec-study"}\n{');
    writeFileSync(join(directory, 'b.jsonl'), '{"sch');
    const lock = { host: hostname(), pid: 2 ** 22 + 12345, started: 1000, token: 'a'.repeat(24) };
    writeFileSync(join(directory, 'c.jsonl.lock'), JSON.stringify(lock));
    await storage.remove(['a', 'b', 'c']);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('removes none where one is being written', async () => {
    const study = await open('b');
    await expect(storage.remove(['a', 'b', 'c'])).rejects.toThrow(LockedError);
    await expect(storage.remove(['b'])).rejects.toThrow(
      `The study "b" is in use by the running process ${process.pid}: wait for it or stop it`,
    );
    expect(readdirSync(directory)).toEqual(['a.jsonl', 'b.jsonl', 'b.jsonl.lock', 'c.jsonl']);
    await study.close();
    await storage.remove(['b']);
    expect(readdirSync(directory)).toEqual(['a.jsonl', 'c.jsonl']);
  });

  it('removes none where one is not there, is no study or is outside', async () => {
    const prompts = '{"prompt":"of somebody"}\n';
    writeFileSync(join(directory, 'prompts.jsonl'), prompts);
    mkdirSync(join(directory, 'studies'));
    writeFileSync(join(directory, 'out.jsonl'), '{"schema":"sspec-study"}\n');
    for (const [name, message] of [
      ['none', /no study "none"/],
      ['prompts', /is not a study; it stays/],
      ['../out', /is no study name/],
      ['/elsewhere/out', /is no study name/],
    ] as const) {
      const within = journalStorage(name.startsWith('.') ? join(directory, 'studies') : directory);
      await expect(within.remove(['a', name])).rejects.toThrow(message);
    }
    for (const name of ['a', 'out'])
      expect(existsSync(join(directory, `${name}.jsonl`))).toBe(true);
    expect(readFileSync(join(directory, 'prompts.jsonl'), 'utf8')).toBe(prompts);
    await expect(journalStorage(join(directory, 'nowhere')).remove(['a'])).rejects.toThrow(
      /no study "a"/,
    );
  });
});
