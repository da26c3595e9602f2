import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Definition } from '../../experiments/lib/definition.js';
import { runExperiment } from '../../experiments/lib/experiment.js';
import { experimentFigure } from '../../experiments/lib/figure.js';
import { writeJson } from '../../experiments/lib/output.js';
import { readResult } from '../../experiments/lib/result.js';
import { loadModel } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { LAYERS, writeSearchModel } from '../search/example.js';
import { someDefinition } from './example.js';

const folder = temporaryDirectory();
const model = writeSearchModel();
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
const run = (wanted: Definition) => runExperiment(wanted, 'some command');

describe('an experiment', () => {
  it('measures every variant at every precision, and makes rows and a figure', async () => {
    const wanted = definition({
      precisions: ['fp32', 'int8'],
      variants: [
        { name: 'skip' },
        { name: 'K = 2', draft_exit: 'fixed', draft_length: 2 },
        { name: 'lookup', method: 'lookup' },
      ],
      figure: { form: 'bars', x: 'precision', series: 'variant' },
    });
    const result = await run(wanted);
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
    expect(experimentFigure(wanted, result)).toMatchObject({ name: 'some' });
    writeJson(folder, 'result', result);
    expect(readResult(join(folder, 'result.json'))).toEqual(result);
  });

  it('cuts and extends prompts', async () => {
    const { runs, rows } = await run(definition({ prompt_tokens: [4, 40] }));
    expect(runs.map(({ prompt_tokens }) => prompt_tokens)).toEqual([4, 40]);
    expect(rows.map(({ prompt_tokens }) => prompt_tokens)).toEqual([4, 4, 40, 40]);
  });

  it('refuses prompts that do not fit the context', async () => {
    const wanted = definition({ prompt_tokens: [510] });
    await expect(run(wanted)).rejects.toThrow(InputError);
    await expect(run(wanted)).rejects.toThrow(/"prompt_tokens" has 510/);
  });

  it('refuses a profile of other weights', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ ...exampleProfile, pareto: [] }));
    const wanted = definition({ profiles: { mine: other } });
    await expect(run(wanted)).rejects.toThrow(/other\.json: field "model/);
  });

  it('searches its own profiles', async () => {
    const search = {
      search: 'code:calibration',
      ...{ trials: 1, finalists: 1, prompts_per_trial: 1, max_new_tokens: 4, seed: 0 },
    };
    const wanted = definition({ profiles: { found: search }, variants: [{ name: 'found' }] });
    const { rows, profiles } = await run(wanted);
    expect(profiles.found).toMatchObject({ source: 'search on code', search, precision: 'int8' });
    expect(rows.map(({ variant }) => variant)).toEqual(['autoregressive', 'found']);
  });

  it('calibrates the cost rule where no profile has its costs', async () => {
    const wanted = definition({
      variants: [{ name: 'cost rule', draft_exit: 'cost', fallback: true }],
    });
    const { rows } = await run(wanted);
    expect(rows[1]).toMatchObject({ draft_exit: 'cost', draft_length: 12, fallback: true });
  });
});
