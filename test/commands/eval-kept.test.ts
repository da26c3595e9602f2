import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Eval from '../../commands/eval.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

// Ctrl-C after so many generations, and a disk that is full when the results are written.
const fault = vi.hoisted(() => ({ interruptAt: 0, isDiskFull: false }));
vi.mock('../../src/evaluation/run.js', async (original) => {
  const real = await original<typeof import('../../src/evaluation/run.js')>();
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

const evaluate = (...argv: string[]) =>
  runCommand(Eval, [
    ...['--max-new-tokens', '4', '--repetitions', '2', '--no-warmup', '--limit', '2'],
    ...['--methods', 'lookup', '--dataset', 'code,math', ...argv],
  ]);
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
  expect(readdirSync(directory)).toEqual([]);
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
