import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import Report from '../../commands/report.js';
import StudyWatch from '../../commands/study/watch.js';
import { createLiveText } from '../../src/reporting/live-text.js';
import type { StudyEvent } from '../../src/study/events.js';
import { journalStorage } from '../../src/study/journal.js';
import type { OpenStudy } from '../../src/study/storage.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

let storage: string;
let study: OpenStudy;
beforeEach(async () => {
  storage = temporaryDirectory();
  const start = { sampler: 'bo', seed: 0, bits: 8, context: {} };
  study = await journalStorage(storage).open('s', start, { resume: true });
  return () => study.close();
});
const candidate = { mask: '01100000', draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
const trial = (number: number, score: number): StudyEvent[] => [
  { type: 'started', trial: number, candidate, time: `2026-01-02T03:04:0${number}Z` },
  { type: 'finished', trial: number, score, variance: 0, figures: {}, seconds: 1 },
];
const append = async (events: readonly StudyEvent[]) => {
  for (const event of events) await study.append(event);
};
const note = (key: string): StudyEvent => ({ type: 'note', key, value: [] });
const watch = (...argv: string[]) => runCommand(StudyWatch, ['s', '--storage', storage, ...argv]);

describe('sspec study watch', () => {
  it('tells what has changed until the search is finished', async () => {
    await append(trial(0, 1.5));
    const watching = watch();
    await sleep(2000);
    await append([...trial(1, 1.75), note('finalists'), note('result')]);
    const { code, stdout } = await watching;
    expect(code).toBe(0);
    expect(stdout.match(/^s: .*$/gm)).toEqual(['s: trials', 's: finished']);
    expect(stdout).toContain('trials  1 finished, 0 failed, 0 open\n');
    expect(stdout).toContain('trials  2 finished, 0 failed, 0 open, 60.0 begun a minute\n');
    expect(stdout).toContain('1.75x in trial 1: skips attention 1, MLP 0; drafts 4, exit fixed');
  });

  it('stops at Ctrl-C, and prints how it stands with --json', async () => {
    await append(trial(0, 1.5).slice(0, 1));
    const { code, stdout } = await watch('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ...{ study: 's', stage: 'trials', finished: 0, failed: 0, open: 1, best: null },
      ...{ generations: 0, trials_per_minute: null },
    });
    const watching = watch();
    await sleep(500);
    process.emit('SIGINT');
    expect((await watching).code).toBe(0);
    expectRefused(await runCommand(StudyWatch, ['t', '--storage', storage]), /no study "t"/);
  });
});

it('writes over its lines on a terminal', () => {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) > 0, isTTY: true };
  const text = createLiveText(stream);
  for (const lines of [['a', 'b'], ['a', 'b'], ['c']]) text.show(lines);
  expect(written).toEqual(['a\nb\n', '\u001b[2A\u001b[0J', 'c\n']);
});

it('sspec report --watch makes a page that loads itself again, and at last one that does not', async () => {
  await append(trial(0, 1.5));
  const page = join(storage, 'page.html');
  const refresh = '<meta http-equiv="refresh" content="10">';
  const reporting = runCommand(Report, ['s', '--storage', storage, '-o', page, '--watch']);
  for (let i = 0; i < 100; i++) {
    await sleep(50);
    if (readFileSync(page, { encoding: 'utf8', flag: 'a+' }).includes(refresh)) break;
  }
  expect(readFileSync(page, 'utf8')).toContain(refresh);
  process.emit('SIGINT');
  expect(await reporting).toMatchObject({ code: 0, stdout: `Report written to ${page}.\n` });
  expect(readFileSync(page, 'utf8')).not.toContain(refresh);
});
