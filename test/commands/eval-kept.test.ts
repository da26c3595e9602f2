import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Eval from '../../commands/eval.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

// Ctrl-C after so many generations, and a disk that is full when the results are written.
const fault = vi.hoisted(() => ({ interruptAt: 0, isDiskFull: false }));
vi.mock('../../src/evaluation/evaluate.js', async (original) => {
  const real = await original<typeof import('../../src/evaluation/evaluate.js')>();
  const evaluate: typeof real.evaluate = (model, request) =>
    real.evaluate(model, {
      ...request,
      onProgress: (done, total) => {
        request.onProgress?.(done, total);
        if (fault.interruptAt > 0 && done === fault.interruptAt) process.emit('SIGINT');
      },
    });
  return { ...real, evaluate };
});
vi.mock('../../src/evaluation/output.js', async (original) => {
  const real = await original<typeof import('../../src/evaluation/output.js')>();
  const writeEvaluation: typeof real.writeEvaluation = (directory, ...rest) => {
    if (fault.isDiskFull)
      throw new InputError(`Cannot write ${join(directory, 'samples.jsonl')}: ENOSPC: no space`);
    real.writeEvaluation(directory, ...rest);
  };
  return { ...real, writeEvaluation };
});

const FLAGS = {
  ...{ '--max-new-tokens': '4', '--repetitions': '2', '--limit': '2' },
  ...{ '--methods': 'lookup', '--dataset': 'code,math' },
};
const evaluateWith = (flags: Record<string, string>, ...argv: string[]) => {
  process.exitCode = undefined;
  return runCommand(Eval, [...Object.entries(flags).flat(), '--no-warmup', ...argv]);
};
const evaluate = (...argv: string[]) => evaluateWith(FLAGS, ...argv);
const linesOf = (directory: string, name: string): Record<string, unknown>[] =>
  readFileSync(join(directory, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const times = ({ decode_seconds, elapsed_seconds }: Record<string, unknown>) => [
  decode_seconds,
  elapsed_seconds,
];
const untimed = (sample: Record<string, unknown>) => {
  const { rounds, ...rest } = sample;
  const { drafted, accepted } = rounds as Record<string, unknown>;
  const kept = Object.entries(rest).filter(([key]) => !/seconds$|memory/.test(key));
  return { ...Object.fromEntries(kept), drafted, accepted };
};
const COUNTS = [
  ...['dataset', 'method', 'prompts', 'repetitions', 'new_tokens', 'target_passes'],
  ...['proposed_tokens', 'accepted_tokens', 'conditional_acceptance', 'identical_outputs'],
];
const outputs = () => join(temporaryDirectory(), 'out');

afterEach(() => {
  Object.assign(fault, { interruptAt: 0, isDiskFull: false });
  process.exitCode = undefined;
});

describe('sspec eval, interrupted', () => {
  it('tells and writes what was finished, marks it partial, and exits with 130', async () => {
    // Of 16 generations: both prompts of code by both methods, one of math, and half a turn.
    fault.interruptAt = 7;
    const directory = outputs();
    const { code, stdout } = await evaluate('--json', '-q', '--output-dir', directory);
    expect(code).toBe(130);
    const document = JSON.parse(stdout);
    expect(document.partial).toBe(true);
    expect(document.settings.repetitions).toBe(1);
    expect(document.warnings).toContainEqual(
      expect.stringMatching(/^Interrupted after 6 of 16 generations/),
    );
    const rows: Record<string, unknown>[] = document.rows;
    expect(rows.map(({ dataset, method, prompts }) => [dataset, method, prompts])).toEqual(
      [
        ['code', 2],
        ['math', 1],
        ['all', 3],
      ].flatMap(([dataset, prompts]) => [
        [dataset, 'autoregressive', prompts],
        [dataset, 'lookup', prompts],
      ]),
    );
    for (const row of rows) expect(row).toMatchObject({ partial: true, identical_outputs: true });
    expect(JSON.parse(readFileSync(join(directory, 'results.json'), 'utf8'))).toEqual(document);
    expect(readFileSync(join(directory, 'report.html'), 'utf8')).toContain('Interrupted after 6');
  });

  it('counts a prompt that was decoded more often than others once', async () => {
    // Both prompts of both datasets once, the first of code twice.
    fault.interruptAt = 10;
    const { stdout } = await evaluate('--json', '-q');
    const { rows, settings } = JSON.parse(stdout);
    expect(settings.repetitions).toBe(2);
    const code = rows.find((row: { dataset: string }) => row.dataset === 'code');
    expect(code).toMatchObject({ prompts: 2, new_tokens: 8, partial: true });
  });

  it('prints a table with a column for it', async () => {
    fault.interruptAt = 4;
    const { code, stdout, stderr } = await evaluate();
    expect(code).toBe(130);
    expect(stdout).toMatch(/^code +autoregressive .*partial$/m);
    expect(stderr).toMatch(/Note: Interrupted after 4 of 16 generations/);
  });

  it('ends as before where nothing was finished, and leaves earlier results alone', async () => {
    fault.interruptAt = 1;
    const directory = outputs();
    mkdirSync(directory);
    writeFileSync(join(directory, 'results.json'), 'old');
    const { code, stdout } = await evaluate('--json', '-q', '--output-dir', directory, '--force');
    expect(code).toBe(130);
    expect(JSON.parse(stdout).error.code).toBe('interrupted');
    expect(readFileSync(join(directory, 'results.json'), 'utf8')).toBe('old');
  });
});

it('prints what it measured when the folder cannot be written any more', async () => {
  fault.isDiskFull = true;
  const directory = outputs();
  const { code, stdout, stderr } = await evaluate('-q', '--output-dir', directory);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^all +lookup /m);
  expect(stderr).toMatch(/Error: Cannot write .*ENOSPC: no space; .* has not all of what/);
  expect(readdirSync(directory)).toEqual(['unfinished.jsonl']);
  // Once there is room it is written without measuring anything again.
  fault.isDiskFull = false;
  const timings = linesOf(directory, 'unfinished.jsonl').filter(({ method }) => method);
  const { code: resumed } = await evaluate('-q', '--output-dir', directory, '--resume');
  expect(resumed).toBe(0);
  expect(timings).toHaveLength(16);
  expect(linesOf(directory, 'samples.jsonl').map(times)).toEqual(timings.map(times));
});

describe('sspec eval --resume', () => {
  it('goes on with what is missing, and comes to what one run would have', async () => {
    fault.interruptAt = 7;
    const directory = outputs();
    const { stderr } = await evaluate('--json', '--output-dir', directory);
    expect(stderr).toMatch(/--resume goes on with what is missing:\n {2}sspec eval .* --resume\n/);
    const first = linesOf(directory, 'unfinished.jsonl').filter(({ method }) => method);
    // The first of a turn is kept too, though the printed figures are of whole turns.
    expect(first).toHaveLength(7);

    fault.interruptAt = 0;
    const resumed = await evaluate('--json', '-q', '--output-dir', directory, '--resume');
    expect(resumed.code).toBe(0);
    const whole = outputs();
    const once = await evaluate('--json', '-q', '--output-dir', whole);
    const documents = [resumed, once].map(({ stdout }) => JSON.parse(stdout));
    // What does not depend on the clock: what was drafted by what had been learned, too.
    const [counted, expected] = documents.map(({ rows }) =>
      rows.map((row: Record<string, unknown>) => ({
        ...Object.fromEntries(COUNTS.map((key) => [key, row[key]])),
        fields: Object.keys(row),
      })),
    );
    expect(counted).toEqual(expected);
    expect(documents[0].settings).toEqual(documents[1].settings);
    expect(documents[0].warnings).toContainEqual(expect.stringMatching(/^Measured in 2 runs/));
    const [samples, others] = [directory, whole].map((of) => linesOf(of, 'samples.jsonl'));
    expect(samples!.slice(0, 7).map(times)).toEqual(first.map(times));
    expect(samples!.map(untimed)).toEqual(others!.map(untimed));
    expect(readdirSync(directory).sort()).toEqual(readdirSync(whole).sort());

    // Once more: there is nothing to measure, and nothing is written.
    const written = statSync(join(directory, 'results.json')).mtimeMs;
    const again = await evaluate('--json', '--output-dir', directory, '--resume');
    expect(again.stderr).toContain('is finished: what it found is told again, nothing measured');
    expect(JSON.parse(again.stdout)).toEqual(documents[0]);
    expect(statSync(join(directory, 'results.json')).mtimeMs).toBe(written);
  });

  it('goes on in the cell of a grid, and refuses another grid', async () => {
    const grid = { ...FLAGS, '--dataset': 'code', '--repetitions': '1' };
    const cells = { ...grid, '--prompt-tokens': '8,16', '--max-new-tokens': '2,4' };
    fault.interruptAt = 7;
    const directory = outputs();
    await evaluateWith(cells, '-q', '--output-dir', directory);
    fault.interruptAt = 0;
    const resume = ['-q', '--output-dir', directory, '--resume'];
    expectRefused(
      await evaluateWith({ ...grid, '--prompt-tokens': '8,16' }, ...resume),
      /begun with the grid of --prompt-tokens 8,16 and --max-new-tokens 2,4, this run has the grid of --prompt-tokens 8,16 and --max-new-tokens 4:/,
    );
    expectRefused(await evaluateWith(grid, ...resume), /max-new-tokens 2,4, this run has no grid:/);
    expect((await evaluateWith(cells, ...resume)).code).toBe(0);
    const whole = outputs();
    await evaluateWith(cells, '-q', '--output-dir', whole);
    const [samples, others] = [directory, whole].map((of) => linesOf(of, 'samples.jsonl'));
    expect(samples).toHaveLength(16);
    expect(samples!.map(untimed)).toEqual(others!.map(untimed));
    // Finished, it is told again.
    expect((await evaluateWith(cells, ...resume)).code).toBe(0);
  });

  it('begins where there is nothing, and drops a line whose writing was cut off', async () => {
    fault.interruptAt = 3;
    const directory = outputs();
    await evaluate('-q', '--output-dir', directory, '--resume');
    const file = join(directory, 'unfinished.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
    fault.interruptAt = 0;
    expect((await evaluate('-q', '--output-dir', directory, '--resume')).code).toBe(0);
    expect(linesOf(directory, 'samples.jsonl')).toHaveLength(16);
  });

  it('refuses another request in one sentence, and what is not to be gone on with', async () => {
    fault.interruptAt = 3;
    const directory = outputs();
    await evaluate('-q', '--output-dir', directory);
    fault.interruptAt = 0;
    expectRefused(await evaluate('--output-dir', directory), /--resume to go on with it, --force/);
    const other = (flags: Record<string, string>) =>
      evaluateWith({ ...FLAGS, ...flags }, '--output-dir', directory, '--resume', '-q');
    for (const [flags, message] of [
      [{ '--max-new-tokens': '5' }, /begun with max new tokens 4, this run has 5: give the same/],
      [{ '--limit': '1' }, /begun with 2 prompts of code, this run has 1/],
      [{ '--dataset': 'code' }, /begun on the datasets code, math, this run has code:/],
      [{ '--methods': 'autoregressive' }, /methods autoregressive, lookup, this run has autoreg/],
      [{ '--precision': 'fp32' }, /begun with the precision int8, this run has fp32/],
    ] as const)
      expectRefused(await other(flags), message);
    const resume = (...argv: string[]) => evaluate('--output-dir', directory, '--resume', ...argv);
    const file = join(directory, 'unfinished.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"repetition":0', '"repetition":9'));
    expectRefused(await resume('-q'), /has a generation of .* that this run does not measure/);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"repetition":9', '"repetition":-1'));
    expectRefused(await resume('-q'), /unfinished\.jsonl:3: field "repetition" cannot be used/);
    expectRefused(await resume('--force'), /--force/);
  });
});

describe('a folder with results', () => {
  it.each(['results.json', 'samples.jsonl', 'report.html'])(
    'is refused before anything runs (%s)',
    async (name) => {
      const directory = outputs();
      mkdirSync(directory);
      writeFileSync(join(directory, name), 'old');
      expectRefused(
        await evaluate('--model', 'no-such', '--output-dir', directory),
        new RegExp(`has results already \\(${name}\\): give --force`),
      );
      expect(readFileSync(join(directory, name), 'utf8')).toBe('old');
    },
  );

  it('is written over with --force, which asks for a folder', async () => {
    const directory = outputs();
    mkdirSync(directory);
    writeFileSync(join(directory, 'results.json'), 'old');
    const { code } = await evaluate('-q', '--output-dir', directory, '--force');
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(directory, 'results.json'), 'utf8')).partial).toBe(
      undefined,
    );
    expect(existsSync(join(directory, 'report.html'))).toBe(true);
    expectRefused(await evaluate('--force'), /--output-dir/);
  });
});
