import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import Eval from '../../commands/eval.js';
import { loadModel } from '../../src/engine/load-model.js';
import type { Divergence } from '../../src/evaluation/divergence.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleCosts, exampleProfile } from '../profile/example.js';
import { expectRefused, runCommand } from './run.js';

// No engine at hand gives a wrong output, so one is made up where it is asked for.
const fault = vi.hoisted(() => ({ kind: undefined as Divergence['kind'] | undefined }));
vi.mock('../../src/evaluation/divergence.js', async (original) => {
  const real = await original<typeof import('../../src/evaluation/divergence.js')>();
  const findDivergences: typeof real.findDivergences = async (engine, result) => {
    const { kind } = fault;
    const sample = result.samples.find(({ method }) => method.name === 'lookup')!;
    return kind
      ? [{ sample, position: 3, margin: 0.5, kind }]
      : real.findDivergences(engine, result);
  };
  return { ...real, findDivergences };
});

const quick = ['--max-new-tokens', '6', '--repetitions', '1', '--no-warmup', '--limit', '1', '-q'];
const evaluate = (...argv: string[]) => runCommand(Eval, [...quick, ...argv]);
let profiles: string[];

beforeAll(async () => {
  const { engine } = await loadModel('demo');
  const { model } = exampleProfile;
  const fitting = {
    ...exampleProfile,
    model: {
      ...{ ...model, reference: 'demo' },
      ...{ layers: engine.config.layers, weights_hash: engine.model.weightsHash },
    },
  };
  await engine.close();
  const folder = temporaryDirectory();
  profiles = ['one.json', 'two.json'].map((name) => join(folder, name));
  for (const file of profiles) writeFileSync(file, JSON.stringify(fitting));
});
afterEach(() => {
  fault.kind = undefined;
  process.exitCode = undefined;
});

describe('sspec eval', () => {
  it('gives a row for each dataset and method, with --json as one document', async () => {
    const { code, stdout } = await evaluate(
      ...['--profile', profiles[0]!, '--profile', profiles[1]!, '--dataset', 'code,math', '--json'],
    );
    expect(code, stdout).toBe(0);
    const { rows, environment, settings, warnings } = JSON.parse(stdout);
    // The profile says that it was measured on another machine.
    expect(warnings).toContainEqual(expect.stringContaining('one.json'));
    const names = rows.map((row: Record<string, string>) => `${row.dataset} ${row.method}`);
    expect(names).toEqual(
      ['code', 'math', 'all'].flatMap((dataset) =>
        ['autoregressive', 'skip', 'skip', 'lookup'].map((method) => `${dataset} ${method}`),
      ),
    );
    expect(rows.slice(1, 3).map((row: Record<string, string>) => row.profile)).toEqual(profiles);
    expect(rows.every((row: Record<string, unknown>) => row.identical_outputs === true)).toBe(true);
    expect(environment).toMatchObject({ precision: 'int8', model_hash: expect.any(String) });
    expect(settings).toMatchObject({ max_new_tokens: 6, repetitions: 1, warmup: 0 });
  });

  it('measures a cascade where it is asked for, with each profile', async () => {
    const files = profiles.flatMap((file) => ['--profile', file]);
    const argv = [...files, '--dataset', 'code', '--methods', 'cascade', '--json'];
    const { code, stdout } = await evaluate(...argv);
    expect(code, stdout).toBe(0);
    const rows: Record<string, unknown>[] = JSON.parse(stdout).rows;
    expect(rows.map(({ method, profile }) => [method, profile])).toEqual([
      ['autoregressive', null],
      ['cascade', profiles[0]],
      ['cascade', profiles[1]],
    ]);
    expect(rows.every((row) => row.identical_outputs === true)).toBe(true);
  });

  it('measures what each profile decodes with, and says so where that is nothing', async () => {
    const profile = JSON.parse(readFileSync(profiles[0]!, 'utf8'));
    const folder = temporaryDirectory();
    const files = ['cascade', 'lookup', 'autoregressive'].map((method) => {
      const file = join(folder, `${method}.json`);
      writeFileSync(file, JSON.stringify({ ...profile, method }));
      return file;
    });
    const argv = files.flatMap((file) => ['--profile', file]);
    const { code, stdout } = await evaluate(...argv, '--dataset', 'code', '--json');
    expect(code, stdout).toBe(0);
    const { rows, warnings } = JSON.parse(stdout);
    expect(rows.map((row: Record<string, string>) => [row.method, row.profile])).toEqual([
      ['autoregressive', null],
      ['lookup', null],
      ['cascade', files[0]],
    ]);
    expect(warnings).toContainEqual(
      expect.stringMatching(/autoregressive\.json decodes autoregressively/),
    );
  });

  it.each(['fixed', 'threshold', 'adaptive', 'cost'] as const)(
    'decodes with a profile whose draft exit is %s, by itself and in a cascade',
    async (draft_exit) => {
      const profile = JSON.parse(readFileSync(profiles[0]!, 'utf8'));
      const file = join(temporaryDirectory(), `${draft_exit}.json`);
      const draft = { draft_exit, draft_length: 2, threshold: 0.5, costs: exampleCosts };
      writeFileSync(file, JSON.stringify({ ...profile, draft }));
      const { code, stdout } = await runCommand(Eval, [
        ...['--profile', file, '--methods', 'skip,lookup,cascade', '--dataset', 'help', '--json'],
        ...['--max-new-tokens', '30', '--limit', '2', '--repetitions', '1', '--no-warmup', '-q'],
      ]);
      expect(code, stdout).toBe(0);
      const rows: Record<string, unknown>[] = JSON.parse(stdout).rows;
      expect(rows.map(({ method }) => method)).toEqual([
        'autoregressive',
        'skip',
        'lookup',
        'cascade',
      ]);
      for (const row of rows.slice(1)) {
        expect(row.identical_outputs).toBe(true);
        expect(row.proposed_tokens).toBeGreaterThan(0);
      }
    },
  );

  it('decodes all turns of conversations and has a row for each part', async () => {
    const file = join(temporaryDirectory(), 'bench.jsonl');
    const questions = [
      { question_id: 1, category: 'writing', turns: ['one day a dog', 'the end'] },
      { question_id: 2, category: 'qa', turns: ['who is the dog'] },
    ];
    writeFileSync(file, questions.map((row) => JSON.stringify(row)).join('\n'));
    const directory = join(temporaryDirectory(), 'out');
    const argv = ['--dataset', file, '--methods', 'lookup', '--output-dir', directory];
    const { code, stdout } = await evaluate(...argv, '--json');
    expect(code, stdout).toBe(0);
    const rows: Record<string, unknown>[] = JSON.parse(stdout).rows;
    expect(rows.map(({ dataset, method, prompts }) => [dataset, method, prompts])).toEqual([
      ['bench:mt-bench', 'autoregressive', 2],
      ['bench:mt-bench', 'lookup', 2],
      ['bench:qa', 'autoregressive', 1],
      ['bench:qa', 'lookup', 1],
      ['all', 'autoregressive', 3],
      ['all', 'lookup', 3],
    ]);
    const lines = readFileSync(join(directory, 'samples.jsonl'), 'utf8').trimEnd().split('\n');
    const samples = lines.map((line) => JSON.parse(line));
    expect(samples[2]).toMatchObject({ prompt: '1/turn-2', turn: 2, category: 'writing' });
    expect(samples[2].prompt_tokens).toBeGreaterThan(samples[0].prompt_tokens);
  });

  it('writes the output directory and prints the form asked for', async () => {
    const directory = join(temporaryDirectory(), 'out');
    const argv = ['--dataset', 'code', '--methods', 'lookup', '--format', 'csv'];
    const { code, stdout } = await evaluate(...argv, '--output-dir', directory);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^dataset,method,.*\ncode,autoregressive,.*\ncode,lookup,.*\n$/);
    expect(readFileSync(join(directory, 'results.csv'), 'utf8')).toBe(stdout);
    const lines = readFileSync(join(directory, 'samples.jsonl'), 'utf8').trimEnd().split('\n');
    expect(JSON.parse(lines[0]!).text).toMatch(/\S/);
  });

  it.each([
    ['defect', ['--audit'], 1],
    ['near-tie', ['--audit'], 0],
    ['defect', [], 0],
  ] as const)(
    'with a %s and flags %j exits with %i and still prints its document',
    async (kind, argv, expected) => {
      fault.kind = kind;
      const { code, stdout } = await evaluate('--dataset', 'code', '--json', ...argv);
      expect(code).toBe(expected);
      const lookup = JSON.parse(stdout).rows[1];
      expect(lookup.identical_outputs).toBe(false);
      expect(lookup.divergences).toEqual([
        { prompt: expect.any(String), position: 3, margin: 0.5, kind },
      ]);
    },
  );

  it('stops at SIGINT with 130 and writes no results', async () => {
    const directory = join(temporaryDirectory(), 'out');
    const many = ['--max-new-tokens', '200', '--repetitions', '1000', '--output-dir', directory];
    const running = runCommand(Eval, ['--dataset', 'code', '-q', '--json', ...many]);
    const started = process.listenerCount('SIGINT');
    await vi.waitUntil(() => process.listenerCount('SIGINT') > started, {
      timeout: 20_000,
      interval: 20,
    });
    process.emit('SIGINT');
    const { code, stdout } = await running;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({ error: { message: 'Interrupted.', code: 'interrupted' } });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('measures a grid of prompt and output lengths, with latencies', async () => {
    const grid = ['--prompt-tokens', '16,32', '--max-new-tokens', '2', '--max-new-tokens', '4'];
    const { code, stdout } = await evaluate('--dataset', 'code', ...grid, '--json');
    expect(code, stdout).toBe(0);
    const { rows, settings } = JSON.parse(stdout);
    expect(settings.grid).toEqual({ prompt_tokens: [16, 32], max_new_tokens: [2, 4, 6] });
    const cells = ['16+2', '16+4', '16+6', '32+2', '32+4', '32+6'].map((cell) => `code:${cell}`);
    const lookup = rows.filter((row: Record<string, string>) => row.method === 'lookup');
    expect(lookup.map((row: Record<string, string>) => row.dataset)).toEqual([...cells, 'all']);
    for (const { prompt_tokens, dataset, new_tokens, latency_seconds } of lookup.slice(0, 6)) {
      expect(dataset).toBe(`code:${prompt_tokens}+${new_tokens}`);
      expect(latency_seconds.request.p50).toBeGreaterThan(latency_seconds.first_token.p50);
    }
    expectRefused(await evaluate('--prompt-tokens', '16', '--chat'), /leave --chat and --system/);
    expectRefused(await evaluate('--prompt-tokens', '16,x'), /--prompt-tokens is "x"/);
    expectRefused(await evaluate('--prompt-tokens', '100000'), /model's context of \d+ tokens/);
  });

  it('refuses methods and profiles that do not fit each other, and a folder that cannot be made', async () => {
    expectRefused(await evaluate('--methods', 'skip'), /needs a mask; give --profile/);
    expectRefused(await evaluate('--methods', 'cascade'), /has cascade, which needs a mask/);
    const [profile] = profiles;
    expectRefused(
      await evaluate('--methods', 'autoregressive', '--profile', profile!),
      /of use to methods that draft/,
    );
    expectRefused(await evaluate('--methods', 'autoregressive,magic'), /--methods=magic/);
    expectRefused(
      await evaluate('--output-dir', join(profile!, 'x')),
      /--output-dir .*cannot write/,
    );
    expectRefused(await evaluate('--dataset', 'nothing'), /no dataset or file "nothing"/);
  });
});
