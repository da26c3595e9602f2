import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Search from '../../commands/search.js';
import { readProfile } from '../../src/profile/profile.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { writeSearchModel } from '../search/example.js';
import { expectRefused, runCommand } from './run.js';

const model = writeSearchModel();
let directory: string;
let output: string;
let prompts: string;
let common: Readonly<Record<string, string>>;
beforeEach(() => {
  directory = temporaryDirectory();
  output = join(directory, 'out', 'profile.json');
  prompts = join(directory, 'prompts.jsonl');
  const rows = Array.from({ length: 6 }, (_, i) => JSON.stringify({ prompt: `${i} and more` }));
  writeFileSync(prompts, `${rows.join('\n')}\n`);
  common = {
    ...{ model, dataset: prompts, output, study: 'mine', sampler: 'random', finalists: '1' },
    ...{ storage: join(directory, 'studies'), 'prompts-per-trial': '1', 'max-new-tokens': '8' },
    threads: '1',
  };
});

/** The arguments of a short search, with other values for some flags. */
const argvOf = (changes: Readonly<Record<string, string>>) => [
  ...Object.entries({ ...common, ...changes }).flatMap(([name, value]) => [`--${name}`, value]),
  '-q',
];
const search = (changes: Readonly<Record<string, string>>, ...argv: string[]) =>
  runCommand(Search, [...argvOf(changes), ...argv]);
const journal = () => {
  const file = join(directory, 'studies', 'mine.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
/** Numbers of the trials whose event of this type the journal holds, in its order. */
const trials = (type: string) =>
  journal()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter((event) => event.type === type)
    .map((event) => event.trial);

/** Flags that make a study another one than {@link common} does, and what is said of them. */
const others: [Readonly<Record<string, string>>, RegExp][] = [
  [{ precision: 'fp32' }, /context\.precision "int8" but this run has "fp32"/],
  [{ seed: '5' }, /has seed 0 but this run has 5/],
  [{ holdout: '0.5' }, /share 0\.3.* to search on but this run has .*share 0\.5/],
  [{ dataset: 'code' }, /to search on but this run has code/],
  [{ 'max-new-tokens': '9' }, /context\.max_new_tokens 8 but this run has 9/],
];

describe('sspec search', () => {
  it('writes a profile and prints one document with --json', async () => {
    const { code, stdout, stderr } = await search({ trials: '3' }, '--json');
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      study: 'mine',
      sampler: 'random',
      trials: 3,
      profile: output,
    });
    const profile = readProfile(output);
    expect(profile.skip_attention).toEqual(document.best.skip_attention);
    expect(profile.figures.holdout?.speedup).toBe(document.holdout.speedup);
    expect(profile.provenance.dataset?.name).toBe('prompts (the rest of share 0.3, seed 0)');
    expect(profile.provenance.command).toContain('--study mine');
    // Nothing half-written; beside the profile what its plan has beside its mask.
    const weights = profile.draft_weights ? [profile.draft_weights.file] : [];
    expect(readdirSync(join(directory, 'out'))).toEqual([...weights, 'profile.json']);
  });

  it('prints the mask as a map and how to go on', async () => {
    const { code, stdout } = await search({ trials: '1' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 trials? in .* \(study mine\)\n/);
    expect(stdout).toContain(' on held-out prompts: ');
    // Which of the two, the machine decides (test/reporting/next-step.test.ts has both).
    const goesOn = /, faster \(/.test(stdout)
      ? /sspec generate --model \S+ (--precision \S+ )?--profile (\S+) --prompt TEXT/
      : /sspec profile show (\S+)/;
    expect(goesOn.exec(stdout)?.slice(1)).toContain(output);
  });

  it('goes on with a study only when asked, and keeps its trials', async () => {
    expect((await search({ trials: '2' })).code).toBe(0);
    expectRefused(await search({ trials: '4' }), /already holds a study/);
    const before = journal();
    const { code } = await search({ trials: '4' }, '--resume');
    expect(code).toBe(0);
    expect(journal().startsWith(before)).toBe(true);
    expect(trials('started')).toEqual([0, 1, 2, 3]);
  });

  it('measures nothing anew when a finished study is resumed', async () => {
    const first = await search({ trials: '2' }, '--json');
    const before = journal();
    const profile = readFileSync(output, 'utf8');
    const { mtimeMs } = statSync(output);
    const again = await search({ trials: '2' }, '--resume', '--json');
    expect(again).toEqual(first);
    expect(journal()).toBe(before);
    expect(statSync(output).mtimeMs).toBe(mtimeMs);
    const elsewhere = join(directory, 'elsewhere.json');
    const { stdout } = await search({ trials: '2', output: elsewhere }, '--resume');
    expect(stdout).toMatch(/^2 trials in .* \(study mine\)\n/);
    expect(stdout).toContain(elsewhere);
    expect(readFileSync(elsewhere, 'utf8')).toBe(profile);
    // Another request is measured.
    expect((await search({ trials: '2', finalists: '2' }, '--resume')).code).toBe(0);
    expect(journal().length).toBeGreaterThan(before.length);
  });

  it('names studies itself, a new one every time unless resumed', async () => {
    const { study: _, ...rest } = common;
    common = rest;
    const nameOf = async (...argv: string[]) => {
      const { code, stdout } = await search({ trials: '1', model, seed: '4' }, '--json', ...argv);
      expect(code, stdout).toBe(0);
      return JSON.parse(stdout).study;
    };
    const name = await nameOf();
    expect(name).toMatch(/^\S+-prompts-int8-random-ladder-4$/);
    expect([await nameOf(), await nameOf('--resume')]).toEqual([`${name}-2`, `${name}-2`]);
    expect(await nameOf('--temperature', '0.5')).toBe(name.replace(/-4$/, '-t0.5-4'));
  });

  it('does not go on with another precision, seed, share set aside, task or length', async () => {
    expect((await search({ trials: '1' })).code).toBe(0);
    const before = journal();
    for (const [changes, message] of others) {
      expectRefused(await search({ trials: '2', ...changes }, '--resume'), message);
      expect(journal()).toBe(before);
    }
  });

  it.each([
    [
      'an output that is a folder',
      () => ({ output: directory }),
      /Cannot write .*: it is a folder/,
    ],
    ['an output below a file', () => ({ output: join(prompts, 'x.json') }), /Cannot write/],
    ['a time-out that is none', () => ({ timeout: 'soon' }), /--timeout is "soon"/],
    ['a time-out of nothing', () => ({ timeout: '0s' }), /--timeout is "0s"/],
    ['sampling that is none', () => ({ 'top-p': '3' }), /--top-p is 3/],
  ])('refuses %s before any work', async (_, changes, message) => {
    const loaded = vi.spyOn(await import('../../src/engine/load-model.js'), 'loadModel');
    expectRefused(await search(changes()), message);
    expect(loaded).not.toHaveBeenCalled();
    expect(existsSync(join(directory, 'studies'))).toBe(false);
    loaded.mockRestore();
  });

  it('says so when the time is over too soon, and leaves no profile', async () => {
    expectRefused(
      await search({ timeout: '0.000001' }),
      /--timeout leaves no time for a single trial: .* takes about \d+s here; give \d+s or more/,
    );
    expect(existsSync(output)).toBe(false);
    mkdirSync(join(directory, 'out'), { recursive: true });
    expect(readdirSync(join(directory, 'out'))).toEqual([]);
    expect(readdirSync(join(directory, 'studies'))).toEqual([]);
  });
});

describe('sspec search, killed', () => {
  it('has lost no finished trial, and goes on', async () => {
    const loader = join(import.meta.dirname, '../register-typescript.mjs');
    const script = join(import.meta.dirname, 'search-process.ts');
    const argv = ['--import', loader, script, ...argvOf({ trials: '100000' }), '--resume'];
    for (const wanted of [2, 5]) {
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
      const closed = new Promise((resolve) => child.on('close', resolve));
      while (trials('finished').length < wanted && child.exitCode === null) await sleep(5);
      const known = trials('finished').length;
      child.kill('SIGKILL');
      await closed;
      expect(known).toBeGreaterThanOrEqual(wanted);
      expect(trials('finished').length).toBeGreaterThanOrEqual(known);
    }
    const whole = journal().slice(0, journal().lastIndexOf('\n') + 1);
    const done = trials('finished').length;
    const { code, stdout } = await search({ trials: `${done + 2}` }, '--resume', '--json');
    expect(code, stdout).toBe(0);
    expect(journal().startsWith(whole)).toBe(true);
    expect(trials('finished')).toEqual(Array.from({ length: done + 2 }, (_, i) => i));
    expect(JSON.parse(stdout).trials).toBe(done + 2);
  });
});

it('workers need a database, replay, and no more than 63', async () => {
  const refused = async (message: RegExp, changes: Readonly<Record<string, string>>) =>
    expectRefused(await search({ trials: '1', ...changes }), message);
  await refused(/--workers needs a study that other machines can reach/, { workers: '2' });
  const storage = 'postgres://u@127.0.0.1:1/d';
  await refused(/trials are given to 63 at most/, { workers: '64', storage });
  const decoding = { workers: '2', fidelity: 'decode', storage };
  await refused(/times of several machines cannot be compared/, decoding);
});
