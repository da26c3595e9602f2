import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { readCandidate, type StudyStart, writeCandidate } from '../../src/study/events.js';
import { journalStorage } from '../../src/study/journal.js';
import type { StudyStorage } from '../../src/study/storage.js';

const start: StudyStart = {
  sampler: 'bo',
  seed: 3,
  bits: 4,
  context: { model_hash: 'abc', precision: 'int8', dataset: { name: 'é', hash: 1 } },
};
const candidate = {
  mask: Uint8Array.of(0, 1, 1, 0),
  draft: { exit: 'adaptive', draftLength: 6, threshold: 0.35 },
} as const;
const time = '2025-01-01T00:00:00.000Z';
const started = (trial: number) =>
  ({ type: 'started', trial, candidate: writeCandidate(candidate), time }) as const;
const finished = (trial: number) =>
  ({
    type: 'finished',
    trial,
    score: 1 + trial / 10,
    variance: 0.01,
    figures: { c: 0.5 },
    seconds: 2,
  }) as const;

const openStudy = (folder: string, ...opening: Parameters<StudyStorage['open']>) =>
  journalStorage(folder).open(...opening);
const readStudy = (folder: string, name: string) => journalStorage(folder).read(name);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sspec-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const file = (name = 's') => join(directory, `${name}.jsonl`);

async function writeStudy(trials: number): Promise<void> {
  const study = await openStudy(directory, 's', start, { resume: false });
  for (let trial = 0; trial < trials; trial++) {
    await study.append(started(trial));
    await study.append(
      trial % 2 === 1 ? { type: 'failed', trial, reason: 'naïve' } : finished(trial),
    );
  }
  await study.append({ type: 'note', key: 'holdout', value: { speedup: 1.2 } });
  await study.close();
}

describe('openStudy', () => {
  it('takes an interrupted header for nothing, and leaves a file that is no study as it is', async () => {
    writeFileSync(file(), '{"schema":"ssp');
    await (await openStudy(directory, 's', start, { resume: false })).close();
    const text = '{"prompt":"a file without a last newline"}';
    writeFileSync(file('prompts'), text);
    await expect(openStudy(directory, 'prompts', start, { resume: true })).rejects.toThrow(
      /is not a study/,
    );
    expect(readFileSync(file('prompts'), 'utf8')).toBe(text);
  });

  it('refuses a line whose nesting would exhaust the stack', async () => {
    await writeStudy(1);
    const [header] = readFileSync(file(), 'utf8').split('\n');
    const value = '['.repeat(20_000) + ']'.repeat(20_000);
    writeFileSync(file(), `${header}\n{"type":"note","key":"x","value":${value}}\n`);
    const message = /s\.jsonl:2: the study's journal is damaged \(it is nested deeper than/;
    await expect(readStudy(directory, 's')).rejects.toThrow(message);
  });

  it('gives back what was written, and lists it', async () => {
    await writeStudy(3);
    const storage = journalStorage(join(directory));
    expect(await storage.list()).toEqual(['s']);
    const { header, events } = await storage.read('s');
    expect(header).toMatchObject({ schema: 'sspec-study', version: 1, study: 's', ...start });
    expect(events).toHaveLength(7);
    expect(events[0]).toEqual(started(0));
    expect(events[1]).toEqual(finished(0));
    expect(readCandidate(started(0).candidate)).toEqual(candidate);
    expect(await journalStorage(join(directory, 'none')).list()).toEqual([]);
    await expect(readStudy(directory, 'other')).rejects.toThrow(InputError);
    expect(readdirSync(directory)).toEqual(['s.jsonl']);
  });

  it('resumes after a cut at any byte, losing no trial finished before it', async () => {
    await writeStudy(2);
    const whole = readFileSync(file());
    const lines = whole.toString().split('\n').slice(1, -1);
    for (let cut = 0; cut < whole.length; cut++) {
      writeFileSync(file(), whole.subarray(0, cut));
      const study = await openStudy(directory, 's', start, { resume: true });
      const kept = Math.max(0, whole.subarray(0, cut).toString('latin1').split('\n').length - 2);
      expect(study.events).toEqual(lines.slice(0, kept).map((line) => JSON.parse(line)));
      expect(readFileSync(file()).at(-1)).toBe(0x0a);
      // Appending costs a disk flush: not after every one of the cuts.
      if (cut % 8 === 0) await study.append(started(99));
      await study.close();
      const after = (await readStudy(directory, 's')).events;
      expect(after).toHaveLength(kept + (cut % 8 === 0 ? 1 : 0));
    }
  });

  it('names file and line of damage in the middle', async () => {
    await writeStudy(2);
    const lines = readFileSync(file(), 'utf8').split('\n');
    const damage = async (line: number, text: string) => {
      writeFileSync(file(), lines.with(line - 1, text).join('\n'));
      const error = await openStudy(directory, 's', start, { resume: true }).catch(
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(InputError);
      expect(String(error)).toContain(`s.jsonl:${line}:`);
    };
    await damage(1, '{"schema":"other"}');
    await damage(3, lines[2].slice(0, -5));
    await damage(4, '');
    await damage(3, JSON.stringify({ ...finished(0), score: 'high' }));
    await damage(3, JSON.stringify(finished(7)));
    await damage(
      2,
      JSON.stringify({ ...started(0), candidate: { ...started(0).candidate, mask: '01' } }),
    );
    expect(readdirSync(directory)).toEqual(['s.jsonl']);
  });

  it('says which field differs from the study resumed', async () => {
    await writeStudy(1);
    const resume = (other: StudyStart) => openStudy(directory, 's', other, { resume: true });
    const context = start.context;
    await expect(resume({ ...start, seed: 4 })).rejects.toThrow(/seed 3 but this run has 4/);
    await expect(resume({ ...start, context: { ...context, precision: 'fp32' } })).rejects.toThrow(
      /context\.precision "int8" but this run has "fp32"/,
    );
    await expect(resume({ ...start, context: { ...context, threads: 2 } })).rejects.toThrow(
      /context\.threads unset/,
    );
    const reordered = { dataset: { hash: 1, name: 'é' }, precision: 'int8', model_hash: 'abc' };
    await (await resume({ ...start, context: reordered })).close();
    await expect(openStudy(directory, 's', start, { resume: false })).rejects.toThrow(/resume/);
  });

  it('refuses names that are no plain file names', async () => {
    for (const name of ['', '../x', 'a/b', '.hidden', 'a\\b', 'x'.repeat(101), 'a\n'])
      await expect(openStudy(directory, name, start, { resume: true })).rejects.toThrow(InputError);
  });

  it('refuses events that could not be read back, and writes nothing of them', async () => {
    const study = await openStudy(directory, 's', start, { resume: false });
    const before = readFileSync(file());
    await expect(study.append(finished(0))).rejects.toThrow(RangeError);
    await study.append(started(0));
    await expect(study.append({ ...finished(0), score: Number.NaN })).rejects.toThrow();
    const long = { type: 'note', key: 'k', value: 'x'.repeat(2 ** 20) } as const;
    await expect(study.append(long)).rejects.toThrow(InputError);
    await study.append(finished(0));
    await expect(study.append(finished(0))).rejects.toThrow(RangeError);
    await study.close();
    await expect(study.append(started(1))).rejects.toThrow(/closed/);
    expect(readFileSync(file()).length).toBeGreaterThan(before.length);
    expect((await readStudy(directory, 's')).events).toEqual([started(0), finished(0)]);
  });
});

describe('lock', () => {
  it('keeps a second writer out until the first closes', async () => {
    const study = await openStudy(directory, 's', start, { resume: false });
    await expect(openStudy(directory, 's', start, { resume: true })).rejects.toThrow(
      new RegExp(`running process ${process.pid}`),
    );
    await study.close();
    await (await openStudy(directory, 's', start, { resume: true })).close();
  });

  it('takes over from a process that is gone, and from our own id before a restart', async () => {
    const lock = { host: hostname(), started: 1000, token: 'a'.repeat(24) };
    for (const pid of [2 ** 22 + 12345, process.pid]) {
      writeFileSync(`${file()}.lock`, JSON.stringify({ ...lock, pid }));
      await (await openStudy(directory, 's', start, { resume: true })).close();
      expect(readdirSync(directory)).toEqual(['s.jsonl']);
    }
  });

  it('leaves alone a lock from another machine, and what is no lock', async () => {
    const lock = { host: 'elsewhere', pid: 1, started: 1000, token: 'a'.repeat(24) };
    writeFileSync(`${file()}.lock`, JSON.stringify(lock));
    await expect(openStudy(directory, 's', start, { resume: true })).rejects.toThrow(/elsewhere/);
    writeFileSync(`${file()}.lock`, 'mine');
    await expect(openStudy(directory, 's', start, { resume: true })).rejects.toThrow(
      /not a lock file/,
    );
    expect(readFileSync(`${file()}.lock`, 'utf8')).toBe('mine');
  });
});

describe('several processes that find the same dead lock', () => {
  it('let one of them write', async () => {
    const lock = { host: hostname(), pid: 2 ** 22 + 12345, started: 1000, token: 'a'.repeat(24) };
    writeFileSync(`${file('killed')}.lock`, JSON.stringify(lock));
    const children = [1, 2, 3, 4].map(() => startAppending('ignore'));
    let losers = 0;
    await Promise.all(
      children.map(async ({ closed }) => {
        await closed;
        // The winner runs until the last loser has given up.
        if (++losers === 3) for (const { child } of children) child.kill('SIGKILL');
      }),
    );
    const wrote = children.filter(({ acknowledged }) => acknowledged().length > 0);
    expect(wrote).toHaveLength(1);
    const { events } = await readStudy(directory, 'killed');
    const ended = events.filter(({ type }) => type === 'finished').length;
    expect(ended).toBeGreaterThanOrEqual(wrote[0].acknowledged().length);
  }, 60_000);
});

describe('a process killed while it appends', () => {
  it('has lost no acknowledged trial, and the study goes on', async () => {
    const acknowledged: number[] = [];
    for (let kill = 0; kill < 3; kill++) acknowledged.push(await appendUntilKilled(20 + 13 * kill));
    const { events } = await readStudy(directory, 'killed');
    const ended = events.flatMap((event) => (event.type === 'finished' ? [event.trial] : []));
    expect(ended).toEqual(Array.from({ length: ended.length }, (_, trial) => trial));
    expect(ended.length).toBeGreaterThanOrEqual(Math.max(...acknowledged) + 1);
    expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b));
    expect(existsSync(`${file('killed')}.lock`)).toBe(true);
  }, 60_000);
});

/** Runs append-forever.ts, kills it after `count` more acknowledged trials, and returns the last one it told of. */
async function appendUntilKilled(count: number): Promise<number> {
  const { child, closed, acknowledged } = startAppending('inherit');
  child.stdout.on('data', () => {
    if (acknowledged().length >= count) child.kill('SIGKILL');
  });
  await closed;
  return Math.max(...acknowledged());
}

/** Starts append-forever.ts; `acknowledged` gives the trials that it has told of so far. */
function startAppending(errors: 'inherit' | 'ignore') {
  const loader = join(import.meta.dirname, '../register-typescript.mjs');
  const script = join(import.meta.dirname, 'append-forever.ts');
  const child = spawn(process.execPath, ['--import', loader, script, directory], {
    stdio: ['ignore', 'pipe', errors],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  return { child, closed, acknowledged: () => output.split('\n').slice(0, -1).map(Number) };
}
