import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import Completion from '../../commands/completion.js';
import DatasetList from '../../commands/dataset/list.js';
import DatasetShow from '../../commands/dataset/show.js';
import ModelInspect from '../../commands/model/inspect.js';
import ModelList from '../../commands/model/list.js';
import ProfileShow from '../../commands/profile/show.js';
import ProfileValidate from '../../commands/profile/validate.js';
import StudyExport from '../../commands/study/export.js';
import StudyList from '../../commands/study/list.js';
import StudyRemove from '../../commands/study/rm.js';
import StudyShow from '../../commands/study/show.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { compileModel } from '../../src/graph/compile.js';
import { journalStorage } from '../../src/study/journal.js';
import { byteLetters } from '../helpers/byte-letters.js';
import { hasShared, shared } from '../helpers/engine.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { expectRefused, runCommand } from './run.js';

/** The document of a command that succeeds. */
async function json(...[command, argv]: Parameters<typeof runCommand>) {
  const { code, stdout } = await runCommand(command, [...argv, '--json']);
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout);
}

describe('sspec model', () => {
  const { HF_HUB_CACHE } = process.env;
  afterEach(() => {
    if (HF_HUB_CACHE === undefined) delete process.env.HF_HUB_CACHE;
    else process.env.HF_HUB_CACHE = HF_HUB_CACHE;
  });

  it('lists the bundled model, the Hugging Face cache and compiled models', async () => {
    const cache = temporaryDirectory();
    process.env.HF_HUB_CACHE = cache;
    const commit = 'a'.repeat(40);
    for (const [repository, ref] of [
      ['models--org--tiny', 'main'],
      ['models--org--tiny', 'v1'],
      ['models--org--half', 'main'],
    ]) {
      mkdirSync(join(cache, repository, 'refs'), { recursive: true });
      writeFileSync(join(cache, repository, 'refs', ref), commit);
    }
    const { directory } = writeMiniature(join(cache, 'models--org--tiny', 'snapshots', commit));
    const half = join(cache, 'models--org--half', 'snapshots', commit);
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'config.json'), '{"model_type":"gpt2"}');
    const { key } = await compileModel(openCheckpoint(directory), 'int8');

    const { models, compiled } = await json(ModelList, []);
    expect(models.map(({ reference }: { reference: string }) => reference)).toEqual([
      'demo',
      'org/half',
      'org/tiny',
      'org/tiny@v1',
    ]);
    expect(models[1]).toMatchObject({
      architecture: null,
      problem: expect.stringContaining('gpt2'),
    });
    expect(models[2]).toMatchObject({ architecture: 'llama', layers: 4, directory });
    expect(compiled.map((entry: { key: string }) => entry.key)).toContain(key);
    const { stdout } = await runCommand(ModelList, []);
    expect(stdout).toMatch(/^org\/half +not supported/m);
    // Under the names that it was loaded by, where another test did so.
    const { references } = compiled.find((entry: { key: string }) => entry.key === key);
    expect(stdout).toContain(references.length === 0 ? key : references.join(', '));
  });

  it('inspects a checkpoint; its sizes are those of the compiled files', async () => {
    const { directory } = writeMiniature(temporaryDirectory(), {
      tied: true,
      layers: 2,
      hiddenSize: 256,
      vocabSize: 8192,
      intermediateSize: 80,
      contextLength: 32,
    });
    const document = await json(ModelInspect, [directory]);
    expect(document).toMatchObject({
      directory,
      architecture: 'llama',
      layers: 2,
      sublayers: 4,
      context_length: 32,
      stored_dtypes: ['F32'],
      tied_embeddings: true,
      tokenizer: false,
      bytes: { fp32: 4 * document.parameters },
    });
    for (const precision of ['fp32', 'int8', 'int4'] as const) {
      const { path } = await compileModel(openCheckpoint(directory), precision);
      const file = statSync(join(path, '..', 'weights.bin')).size;
      // Tensors begin at multiples of 4096 bytes; scales are tensors too, and the rotary table is two.
      const matrices = 1 + 5 * 2;
      const padding = (precision === 'fp32' ? 1 : 2) * matrices + 2;
      expect(file).toBeGreaterThan(document.bytes[precision]);
      expect(file).toBeLessThan(document.bytes[precision] + 4096 * padding + 32 * 64 * 4);
    }
  });

  it('names a folder below the working directory by its path from there', async () => {
    expect(await json(ModelInspect, ['demo'])).toMatchObject({ directory: join('models', 'demo') });
  });

  it('compares precisions with fp32 on bundled text', async () => {
    const small = { layers: 1, hiddenSize: 64, contextLength: 64 };
    const { directory } = writeMiniature(temporaryDirectory(), small);
    expect((await runCommand(ModelInspect, [directory, '--quality', '--quiet'])).stderr).toMatch(
      /^Error: The model .* has no tokenizer, .*\.\n$/,
    );
    const vocab = Object.fromEntries(byteLetters().map((letter, id) => [letter, id]));
    const tokenizer = {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
      model: { type: 'BPE', vocab, merges: [] },
    };
    writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
    const document = await json(ModelInspect, [directory, '--quality', '--quiet']);
    const { tokens, precisions } = document.quality;
    expect(tokens).toBeGreaterThan(1000);
    expect(precisions.map(({ precision }: { precision: string }) => precision)).toEqual([
      'fp32',
      'int8',
      'int4',
    ]);
    expect(precisions[0]).toMatchObject({ argmax_agreement: 1, kl_divergence: 0 });
    expect(precisions[1].argmax_agreement).toBeGreaterThan(0.9);
    expect(precisions[2].kl_divergence).toBeGreaterThan(precisions[1].kl_divergence);
    const { stdout } = await runCommand(ModelInspect, [directory, '--quality', '--quiet']);
    expect(stdout).toMatch(/^fp32 +[\d.]+ +100\.0% +0\.0000$/m);
  });

  it('has no size for a precision that does not fit', async () => {
    const { directory } = writeMiniature(temporaryDirectory(), { hiddenSize: 48 });
    expect((await json(ModelInspect, [directory])).bytes).toMatchObject({ int8: null, int4: null });
    const { stdout } = await runCommand(ModelInspect, [directory]);
    expect(stdout).toMatch(/^compiled +fp32 [\d.]+ KiB$/m);
  });

  it('refuses to inspect what is not a model', async () => {
    const result = await runCommand(ModelInspect, ['no-such']);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/^Error: The model "no-such" .*\.\n$/);
    expect((await runCommand(ModelInspect, [])).stderr).toMatch(/^Error: Missing argument: REF \(/);
  });
});

describe('sspec profile', () => {
  const write = (profile: unknown) => {
    const file = join(temporaryDirectory(), 'profile.json');
    writeFileSync(file, JSON.stringify(profile));
    return file;
  };

  it('shows mask, figures and provenance', async () => {
    const { stdout } = await runCommand(ProfileShow, [write(exampleProfile)]);
    expect(stdout).toContain('attention  ■ ■ ■ · ■ · ■ ■ ■ ■ ■ ■');
    expect(stdout).toMatch(/^held out +1\.31x +\[1\.24, 1\.37\] +84\.0% +3\.90 +0\.470/m);
    expect(stdout).toContain('exit threshold at 0.6, for sampling with temperature 0.7, top_p 0.9');
    expect(stdout).toContain('study code, sampler bo, 300 trials, seed 0');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('shows a profile without figures or study', async () => {
    const {
      study: _,
      sampler: _s,
      trials: _t,
      seed: _e,
      ...provenance
    } = exampleProfile.provenance;
    const file = write({
      ...exampleProfile,
      provenance,
      figures: {},
      sampling: undefined,
      pareto: [],
    });
    const { stdout } = await runCommand(ProfileShow, [file]);
    expect(stdout).toContain('Not measured');
    expect(stdout).toContain('for greedy decoding');
    expect(stdout).toMatch(/^made 2026-01-02 by sspec 0\.1\.0$/m);
  });

  it('is the profile itself as JSON', async () => {
    expect(await json(ProfileShow, [write(exampleProfile)])).toEqual(exampleProfile);
  });

  it('validates', async () => {
    const file = write(exampleProfile);
    expect(await json(ProfileValidate, [file])).toEqual({ profile: file, valid: true });
    expect(await runCommand(ProfileValidate, [file, '-q'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const bad = await runCommand(ProfileValidate, [write({ ...exampleProfile, skip_mlp: [4, 4] })]);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toMatch(/field "skip_mlp" .*ascend/);
  });
});

describe('sspec study', () => {
  let storage: string;
  beforeAll(async () => {
    storage = temporaryDirectory();
    const dataset = { name: 'prompts (the rest of share 0.3, seed 3)', hash: 'x' };
    const context = { precision: 'int8', dataset };
    const start = { sampler: 'bo', seed: 3, bits: 8, context };
    const study = await journalStorage(storage).open('night', start, { resume: false });
    const time = '2026-01-02T03:04:05.000Z';
    for (const [trial, mask, score, c, draft_acceptance_rate] of [
      [0, '10000000', 1.1, 0.6, 0.7],
      [1, '01100000', 1.3, 0.5, 0.8],
      [2, '00000011', 1.3, 0.4, 0.5],
      [3, '11111111', 0, 0, 0],
      [4, '00010000', 0, 0, 0],
    ] as const) {
      const candidate = { mask, draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
      await study.append({ type: 'started', trial, candidate, time });
      if (trial === 3) await study.append({ type: 'failed', trial, reason: 'because' });
      else if (trial < 3)
        await study.append({
          type: 'finished',
          trial,
          score,
          variance: 0.01,
          figures: { c, draft_acceptance_rate },
          seconds: 2,
        });
    }
    await study.append({ type: 'note', key: 'holdout', value: 1 });
    await study.append({ type: 'note', key: 'holdout', value: { speedup: 1.2 } });
    await study.append({ type: 'note', key: 'model', value: '../models/my-model' });
    await study.close();
    writeFileSync(join(storage, 'broken.jsonl'), '{}\n');
  });

  it('lists studies, damaged ones with what is wrong', async () => {
    const { studies } = await json(StudyList, ['--storage', storage]);
    expect(studies).toEqual([
      {
        study: 'broken',
        model: null,
        dataset: null,
        sampler: null,
        created: null,
        finished: null,
        best_score: null,
        problem: expect.stringContaining('broken.jsonl:1'),
      },
      {
        study: 'night',
        model: '../models/my-model',
        dataset: 'prompts',
        sampler: 'bo',
        created: expect.any(String),
        finished: 3,
        best_score: 1.3,
        problem: null,
      },
    ]);
    expect((await runCommand(StudyList, ['--storage', storage])).stdout).toMatch(
      /^night +my-model +prompts +\d{4}-\d\d-\d\d +3 +1\.30x$/m,
    );
    const none = await runCommand(StudyList, ['--storage', join(storage, 'none')]);
    expect(none).toMatchObject({ code: 0, stdout: expect.stringContaining('no studies') });
  });

  it('lists within 80 columns, names in one piece', async () => {
    const folder = temporaryDirectory();
    const context = { dataset: { name: 'a-dataset-of-a-long-name', hash: 'x' } };
    const name = 'my-model-prompts-int8-bo-ladder-0';
    const study = await journalStorage(folder).open(
      name,
      { sampler: 'relaxed-gp', seed: 0, bits: 8, context },
      { resume: false },
    );
    await study.append({ type: 'note', key: 'model', value: `/long/${'path/'.repeat(20)}model` });
    await study.close();
    writeFileSync(join(folder, `${'x'.repeat(90)}.jsonl`), '{}\n');
    const { stdout } = await runCommand(StudyList, ['--storage', folder]);
    const [table = '', fault] = stdout.split('\n\n');
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(new RegExp(`^${name} +model `, 'm'));
    expect(fault).toMatch(/^x{90}\ncannot be read:/);
  });

  it('shows the best trials first', async () => {
    const document = await json(StudyShow, ['night', '--storage', storage, '--top', '2']);
    expect(document).toMatchObject({
      study: 'night',
      layers: 4,
      trials: { finished: 3, failed: 1, open: 1 },
      best: {
        trial: 1,
        score: 1.3,
        skip_attention: [1],
        skip_mlp: [0],
        draft_length: 4,
        figures: { c: 0.5, draft_acceptance_rate: 0.8 },
      },
      notes: { holdout: { speedup: 1.2 } },
    });
    expect(document.top.map(({ trial }: { trial: number }) => trial)).toEqual([1, 2]);
    const { stdout } = await runCommand(StudyShow, ['night', '--storage', storage]);
    expect(stdout).toContain('3 trials finished, 1 failed, 1 open');
    expect(stdout).toContain('attention  ■ · ■ ■');
    expect(stdout).toMatch(/^ +0 +1\.10x +0\.700 +0\.600 +0 +4 fixed +2\.0 s$/m);
  });

  it('shows which trials no other beats, and what each sublayer is expected to do', async () => {
    const { pareto, sublayers } = await json(StudyShow, ['night', '--storage', storage]);
    // Trial 0 has a worse acceptance than trial 1 and costs more.
    expect(pareto.map(({ trial }: { trial: number }) => trial)).toEqual([2, 1]);
    expect(sublayers).toHaveLength(8);
    expect(sublayers[0]).toMatchObject({ flip: expect.any(Number), skipped: expect.any(Boolean) });
    const { stdout } = await runCommand(StudyShow, ['night', '--storage', storage]);
    expect(stdout).toContain('Which sublayers matter');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('exports every trial as CSV and as JSON', async () => {
    const argv = ['night', '--storage', storage];
    const { code, stdout } = await runCommand(StudyExport, argv);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(
      'trial,state,skip_attention,skip_mlp,draft_length,draft_exit,threshold,score,variance,c,draft_acceptance_rate,seconds,started,reason',
    );
    const time = '2026-01-02T03:04:05.000Z';
    expect(lines[2]).toBe(`1,finished,[1],[0],4,fixed,0,1.3,0.01,0.5,0.8,2,${time},`);
    expect(lines[4]).toBe(`3,failed,"[0,1,2,3]","[0,1,2,3]",4,fixed,0,,,,,,${time},because`);
    expect(lines[5]).toBe(`4,open,[],[1],4,fixed,0,,,,,,${time},`);
    expect(lines.slice(6)).toEqual(['']);
    const document = await json(StudyExport, argv);
    expect(document).toMatchObject({
      study: 'night',
      header: { schema: 'sspec-study', seed: 3, bits: 8 },
      notes: { holdout: { speedup: 1.2 } },
    });
    expect(document.trials).toHaveLength(5);
    expect(document.trials[1]).toMatchObject({ trial: 1, figures: { c: 0.5 }, started: time });
    const text = (await runCommand(StudyExport, [...argv, '--format', 'json'])).stdout;
    expect(JSON.parse(text)).toEqual(document);
    const output = join(temporaryDirectory(), 'deep', 'trials.csv');
    const written = await runCommand(StudyExport, [...argv, '--output', output]);
    expect(written.stdout).toBe(`5 trials of night written to ${output}.\n`);
    expect(readFileSync(output, 'utf8')).toBe(stdout);
  });

  it('exports no study that there is not or that is outside, and to no place that cannot be written', async () => {
    const inside = join(storage, 'inside');
    mkdirSync(inside, { recursive: true });
    for (const name of ['../night', 'day']) {
      const result = await runCommand(StudyExport, [name, '--storage', inside]);
      expectRefused(result, /no study/);
    }
    const argv = ['night', '--storage', storage, '--output', storage];
    expectRefused(await runCommand(StudyExport, argv), /Cannot write/);
  });

  it('takes the storage from the environment, and refuses what it cannot use', async () => {
    process.env.SSPEC_STORAGE = storage;
    try {
      expect((await json(StudyList, [])).storage).toBe(storage);
    } finally {
      delete process.env.SSPEC_STORAGE;
    }
    const missing = await runCommand(StudyShow, ['day', '--storage', storage]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('no study "day"') });
    const database = await runCommand(StudyList, ['--storage', 'mysql://u:secret@host/db']);
    expect(database).toMatchObject({ code: 2, stderr: expect.stringContaining('not at mysql://') });
    expect(database.stderr).not.toContain('secret');
  });
});

describe('sspec study rm', () => {
  let storage: string;
  const studies = () => journalStorage(storage).list();
  const open = (name: string) =>
    journalStorage(storage).open(
      name,
      { sampler: 'bo', seed: 0, bits: 8, context: {} },
      { resume: true },
    );
  const remove = (...argv: string[]) => runCommand(StudyRemove, [...argv, '--storage', storage]);
  beforeEach(async () => {
    storage = temporaryDirectory();
    for (const name of ['a', 'b']) await (await open(name)).close();
  });

  /** The answer on a terminal, and the questions that were asked on it. */
  async function onTerminal(answer: boolean) {
    const module = await import('../../src/cli/confirm.js');
    vi.spyOn(module, 'canAsk').mockReturnValue(true);
    return vi.spyOn(module, 'confirm').mockResolvedValue(answer);
  }
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('removes with --yes, several at once', async () => {
    expect(await remove('a', 'b', '--yes')).toMatchObject({
      code: 0,
      stdout: 'Removed a.\nRemoved b.\n',
    });
    expect(readdirSync(storage)).toEqual([]);
  });

  it('asks on a terminal, and heeds the answer', async () => {
    const asked = await onTerminal(false);
    expect(await remove('a', 'b')).toMatchObject({ code: 0, stdout: 'Nothing was removed.\n' });
    expect(asked).toHaveBeenLastCalledWith(`Remove 2 studies (a, b) from ${storage}?`);
    expect(await studies()).toEqual(['a', 'b']);
    asked.mockResolvedValue(true);
    const { stdout } = await remove('a', '--json');
    expect(JSON.parse(stdout)).toEqual({ storage, removed: ['a'] });
    expect(await studies()).toEqual(['b']);
    expectRefused(await remove('none'), /no study "none"/);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('removes nothing without a terminal and --yes', async () => {
    const { canAsk } = await import('../../src/cli/confirm.js');
    if (!canAsk()) expectRefused(await remove('a'), /no terminal to ask on: give --yes/);
    const document = await remove('none', '--yes', '--json');
    expect(document.code).toBe(2);
    expect(JSON.parse(document.stdout).error).toMatchObject({ code: 'input' });
    expect(await studies()).toEqual(['a', 'b']);
  });

  it('refuses a study that a search is writing', async () => {
    const study = await open('b');
    expectRefused(
      await remove('a', 'b', '--yes'),
      /study "b" is in use by the running process \d+/,
    );
    await study.close();
    expect(await studies()).toEqual(['a', 'b']);
  });
});

describe('sspec dataset', () => {
  it('lists the bundled ones', async () => {
    const { datasets, formats } = await json(DatasetList, []);
    expect(formats).toContainEqual(
      expect.objectContaining({ name: 'gsm8k', fields: ['question', 'answer'] }),
    );
    const names = datasets.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['stories', 'help', 'code', 'math', 'chat', 'calibration', 'heldout']);
    const { stdout } = await runCommand(DatasetList, []);
    expect(stdout).toMatch(/^code +code +\d+ +\d+ {2}Beginnings/m);
  });

  it('shows prompts', async () => {
    const { prompts, shown, name } = await json(DatasetShow, ['code:calibration', '--limit', '2']);
    expect(name).toBe('code');
    expect(shown).toHaveLength(2);
    expect(prompts).toBeGreaterThan(2);
    const { stdout } = await runCommand(DatasetShow, ['code:calibration', '--limit', '2']);
    expect(stdout).toContain(shown[1].prompt);
    expect(stdout).toContain(`${prompts - 2} more`);
    const bench = join(temporaryDirectory(), 'bench.jsonl');
    writeFileSync(
      bench,
      [
        { question_id: 1, category: 'writing', turns: ['Say.', 'Again.'], reference: ['Said.'] },
        { question_id: 2, category: 'qa', turns: ['Why?'] },
      ]
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    expect((await json(DatasetShow, [bench])).counted_with).toEqual({
      'bench:mt-bench': 1,
      'bench:qa': 1,
    });
    const benchText = (await runCommand(DatasetShow, [bench])).stdout;
    expect(stripVTControlCharacters(benchText)).toMatch(
      /counted by bench:mt-bench \(1\), bench:qa \(1\)\n\n1 writing\nSay\.\nturn 2: Again\.\nreference: Said\.\n\n2 qa\nWhy\?\n$/,
    );
    expect(await runCommand(DatasetShow, ['none'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('shows prompts as a model gets them, with their tokens', async () => {
    const argv = ['code:calibration', '--limit', '1', '--model', 'demo'];
    const { shown, tokens, too_long, context_length } = await json(DatasetShow, argv);
    const [{ prompt, model_text, tokens: count, chat_template }] = shown;
    expect(model_text).toContain(prompt);
    expect(chat_template).toBe(false);
    expect(count).toBeGreaterThanOrEqual(tokens.min);
    expect(tokens.max).toBeLessThan(context_length);
    expect(too_long).toBe(0);
    const { stdout } = await runCommand(DatasetShow, argv);
    expect(stripVTControlCharacters(stdout)).toContain(`${count} tokens as text to be continued`);
    expectRefused(await runCommand(DatasetShow, ['code', '--chat']), /--model/);
    expectRefused(await runCommand(DatasetShow, [...argv, '--chat']), /no chat template/);
  });

  it.skipIf(!hasShared)(
    'shows the chat template of a model (skipped without ../shared)',
    async () => {
      const model = join(shared, 'models/smollm2-135m-instruct');
      const argv = ['chat', '--limit', '1', '--model', model];
      const { shown } = await json(DatasetShow, [...argv, '--system', 'Be short.']);
      expect(shown[0].model_text).toMatch(
        /^<\|im_start\|>system\nBe short\.<\|im_end\|>\n<\|im_start\|>user\n[\s\S]*<\|im_start\|>assistant\n$/,
      );
      expect(shown[0]).toMatchObject({ chat_template: true });
    },
  );
});

describe('sspec completion', () => {
  it('refuses a shell that it does not know', async () => {
    const result = await runCommand(Completion, ['tcsh']);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('tcsh to be one of') });
  });
});
