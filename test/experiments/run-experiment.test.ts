import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Definition } from '../../experiments/lib/definition.js';
import { readResult } from '../../experiments/lib/result.js';
import { runExperiment } from '../../experiments/lib/run-experiment.js';
import { loadModel } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { LAYERS, searchModel } from '../search/example.js';
import { someDefinition } from './example.js';

const folder = temporaryDirectory();
const model = searchModel();
const profile = join(folder, 'mine.json');
const dataset = join(folder, 'letters.jsonl');

beforeAll(async () => {
  const { engine, close } = await loadModel(model);
  const { weightsHash: weights_hash } = engine.model;
  await close();
  const content = {
    ...exampleProfile,
    model: { ...exampleProfile.model, layers: LAYERS, weights_hash },
    ...{ skip_attention: [1, 3], skip_mlp: [2], pareto: [] },
  };
  writeFileSync(profile, JSON.stringify(content));
  const prompts = ['abcabcabc', 'a longer text', 'x'].map((prompt) => JSON.stringify({ prompt }));
  writeFileSync(dataset, prompts.join('\n'));
});

/** An experiment on the miniature, whose prompts are two of the three letters. */
const definition = (changes: object): Definition =>
  someDefinition({ model, datasets: [dataset], profiles: { mine: profile }, ...changes });
const output = join(folder, 'results');
const run = (wanted: Definition, state: string, signal?: AbortSignal) =>
  runExperiment(wanted, {
    ...{ output, state, command: 'some command', quiet: true },
    ...(signal && { signal }),
  });

describe('an experiment', () => {
  it('measures every variant at every precision, and writes rows, table and figure', async () => {
    const wanted = definition({
      precisions: ['fp32', 'int8'],
      variants: [
        { name: 'skip' },
        { name: 'K = 2', draft_exit: 'fixed', draft_length: 2 },
        { name: 'lookup', method: 'lookup' },
      ],
      figure: { form: 'bars', x: 'precision', series: 'variant' },
    });
    const state = temporaryDirectory();
    const result = await run(wanted, state);
    expect(result).toMatchObject({
      experiment: 'some',
      command: 'some command',
      definition: { file: wanted.file, sha256: wanted.sha256 },
      profiles: { mine: { source: profile, skip_attention: [1, 3], skip_mlp: [2] } },
    });
    expect(result.runs.map(({ precision }) => precision)).toEqual(['fp32', 'int8']);
    expect(
      result.rows.map(({ precision, variant, method, draft_exit, draft_length, threshold }) =>
        [precision, variant, method, draft_exit, draft_length, threshold].join(' '),
      ),
    ).toEqual(
      ['fp32', 'int8'].flatMap((precision) => [
        `${precision} autoregressive autoregressive   `,
        `${precision} skip skip threshold 6 0.6`,
        `${precision} K = 2 skip fixed 2 `,
        `${precision} lookup lookup   `,
      ]),
    );
    for (const row of result.rows) {
      expect(row).toMatchObject({ dataset: 'letters', prompts: 2, identical_outputs: true });
      expect(row.new_tokens).toBe(2 * 8);
    }
    expect(readdirSync(state)).toEqual([]);

    expect(readResult(join(output, 'some.json'))).toEqual(result);
    const csv = readFileSync(join(output, 'some.csv'), 'utf8').trim().split('\n');
    expect(csv).toHaveLength(1 + result.rows.length);
    expect(readFileSync(join(output, 'some.svg'), 'utf8')).toContain('K = 2');
  });

  it('cuts and extends prompts, and goes on after an interruption with what was done', async () => {
    const wanted = definition({ prompt_tokens: [4, 40] });
    const state = temporaryDirectory();
    const parts = () =>
      readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.includes('part-'),
      );
    const { signal } = new AbortController();
    vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
      if (parts().length > 0) throw new Error('stopped');
    });
    await expect(run(wanted, state, signal)).rejects.toThrow('stopped');
    expect(parts()).toHaveLength(1);
    expect(readResult(join(output, 'some.json'))?.definition.sha256).not.toBe(wanted.sha256);
    const kept = JSON.parse(readFileSync(join(state, parts()[0]!), 'utf8'));

    const result = await run(wanted, state);
    expect(result.runs.map(({ prompt_tokens }) => prompt_tokens)).toEqual([4, 40]);
    expect(result.rows.slice(0, 2)).toEqual(kept.rows);
    expect(result.runs[0]!.environment).toEqual(kept.environment);
    expect(result.runs[1]!.environment.time > kept.environment.time).toBe(true);
    expect(parts()).toEqual([]);
  });

  it('refuses prompts that do not fit the context', async () => {
    const wanted = definition({ prompt_tokens: [510] });
    await expect(run(wanted, temporaryDirectory())).rejects.toThrow(InputError);
    await expect(run(wanted, temporaryDirectory())).rejects.toThrow(/"prompt_tokens" has 510/);
  });

  it('refuses a profile of other weights', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ ...exampleProfile, pareto: [] }));
    const wanted = definition({ profiles: { mine: other } });
    await expect(run(wanted, temporaryDirectory())).rejects.toThrow(/other\.json: field "model/);
  });

  it('searches its own profiles', async () => {
    const search = {
      search: 'code:calibration',
      ...{ trials: 1, finalists: 1, prompts_per_trial: 1, max_new_tokens: 4, seed: 0 },
    };
    const wanted = definition({ profiles: { found: search }, variants: [{ name: 'found' }] });
    const { rows, profiles } = await run(wanted, temporaryDirectory());
    expect(profiles.found).toMatchObject({ source: 'search on code', search, precision: 'int8' });
    expect(rows.map(({ variant }) => variant)).toEqual(['autoregressive', 'found']);
  });

  it('calibrates the cost rule where no profile has its costs', async () => {
    const wanted = definition({
      variants: [{ name: 'cost rule', draft_exit: 'cost', fallback: true }],
    });
    const { rows } = await run(wanted, temporaryDirectory());
    expect(rows[1]).toMatchObject({ draft_exit: 'cost', draft_length: 12, fallback: true });
  });
});
