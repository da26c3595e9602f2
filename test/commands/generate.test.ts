import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import Generate from '../../commands/generate.js';
import type { Profile } from '../../src/profile/schema.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { type CommandResult, runCommand } from './run.js';

const generate = (...argv: string[]) => runCommand(Generate, argv);
const story = ['--prompt', 'Once upon a time', '--max-new-tokens', '24'];
const mask = ['--skip-attention', '3,5', '--skip-mlp', '4'];
let mini: string;
const tiny = () => ['--model', mini, '--max-new-tokens', '8'];

beforeAll(() => {
  mini = writeMiniature(temporaryDirectory(), { contextLength: 64 }).directory;
});

async function document(...argv: string[]) {
  const result = await generate(...argv, '--json');
  expect(result.code, result.stdout).toBe(0);
  return JSON.parse(result.stdout);
}

/** One sentence on stderr, nothing on stdout. */
function expectRefused({ code, stdout, stderr }: CommandResult, message: RegExp) {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^Error: [^\n]+\.\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}

describe('the JSON document of sspec generate', () => {
  it('has the fields of the contract', async () => {
    const { stats, ...rest } = await document(...story, ...mask, '--draft-length', '4');
    expect(Object.keys(rest).sort()).toEqual(
      [
        'finish_reason',
        'method',
        'model',
        'precision',
        'prompt_tokens',
        'text',
        'token_ids',
      ].sort(),
    );
    expect(rest).toMatchObject({ model: 'demo', precision: 'int8', method: 'skip' });
    expect(rest.finish_reason).toBe('length');
    expect(rest.token_ids).toHaveLength(24);
    expect(Object.keys(stats).sort()).toEqual(
      [
        'wall_seconds',
        'prefill_seconds',
        'decode_seconds',
        'tokens_per_second',
        'target_passes',
        'draft_passes',
        'proposed_tokens',
        'accepted_tokens',
        'draft_acceptance_rate',
        'mean_acceptance_length',
        'peak_memory_bytes',
      ].sort(),
    );
    expect(stats.draft_acceptance_rate).toBe(stats.accepted_tokens / stats.proposed_tokens);
    expect(stats.mean_acceptance_length).toBe(23 / stats.target_passes);
    expect(stats.wall_seconds).toBeGreaterThanOrEqual(stats.decode_seconds);
    expect(stats.peak_memory_bytes).toBeGreaterThan(1e7);
  });

  it('has null for ratios of nothing, and no text without a tokenizer', async () => {
    const { text, stats } = await document('--prompt-ids', '1,2', ...tiny());
    expect(text).toBeNull();
    expect(stats.draft_acceptance_rate).toBeNull();
    expect(stats.mean_acceptance_length).toBe(1);
  });

  it('holds the error where there is one, and nothing else is written', async () => {
    const result = await generate('--prompt', '', '--json');
    expect(JSON.parse(result.stdout)).toEqual({
      error: { code: 'input', message: expect.stringContaining('prompt is empty') },
    });
    expect(result).toMatchObject({ code: 2, stderr: '' });
    const usage = await generate('--json', '--precison', 'int8');
    expect(JSON.parse(usage.stdout).error).toEqual({
      code: 'usage',
      message: 'Unknown flag: --precison; see --help.',
    });
    expect(usage.code).toBe(2);
  });
});

describe('what sspec generate writes', () => {
  it('is the same text for every method', async () => {
    const plain = await generate(...story);
    const drafted = await generate(...story, ...mask);
    const lookup = await generate(...story, '--method', 'lookup');
    expect(plain.stdout).toMatch(/^\S.{40,}\n$/s);
    expect(drafted.stdout).toBe(plain.stdout);
    expect(lookup.stdout).toBe(plain.stdout);
    expect((await document(...story)).text).toBe(plain.stdout.slice(0, -1));
  });

  it('repeats for a seed, and differs between seeds', async () => {
    const sampled = async (seed: string) =>
      (await generate(...story, '--temperature', '1', '--seed', seed, ...mask)).stdout;
    const first = await sampled('1');
    expect(await sampled('1')).toBe(first);
    expect(await sampled('2')).not.toBe(first);
  });

  it('ends before a stop text', async () => {
    const { text } = await document(...story);
    const word = text.split(' ')[3];
    const stopped = await document(...story, '--stop', word, '--stop', 'never this');
    expect(stopped).toMatchObject({
      finish_reason: 'stop',
      text: text.slice(0, text.indexOf(word)),
    });
  });

  it('is token ids where there is no tokenizer', async () => {
    const { token_ids } = await document('--prompt-ids', '1,2', ...tiny());
    const { stdout } = await generate('--prompt-ids', '1,2', ...tiny());
    expect(stdout).toBe(`${token_ids.join(',')}\n`);
  });

  it('takes the prompt from a file without its last line break', async () => {
    const file = join(temporaryDirectory(), 'prompt.txt');
    writeFileSync(file, 'Once upon a time\n');
    const fromFile = await document('--prompt-file', file, '--max-new-tokens', '24');
    const { token_ids, prompt_tokens } = await document(...story);
    expect(fromFile).toMatchObject({ token_ids, prompt_tokens });
  });

  it('has a table of figures on stderr with --stats', async () => {
    const { stdout, stderr } = await generate(...story, ...mask, '--stats');
    expect(stdout).toBe((await generate(...story)).stdout);
    expect(stderr).toMatch(/^method +skip$/m);
    expect(stderr).toMatch(/^accepted +\d+ of \d+ proposed tokens$/m);
    expect(stderr).toMatch(/^peak memory +[\d.]+ MiB$/m);
  });

  it.each([
    ['text', story],
    ['ids', ['--prompt-ids', '7,8']],
  ])('shows where each token came from (%s)', async (kind, prompt) => {
    const model = kind === 'ids' ? ['--model', mini, '--max-new-tokens', '24'] : [];
    const argv = [
      ...prompt,
      ...model,
      '--skip-attention',
      '1-2',
      '--skip-mlp',
      '1,2',
      '--draft-exit',
      'fixed',
    ];
    const { stats } = await document(...argv);
    const { stdout, stderr } = await generate(...argv, '--show-draft');
    expect(stderr).toContain('corrected by the target');
    expect(stdout.replace(/[[\]{}]/g, '')).toBe((await generate(...argv)).stdout);
    const own = stdout.match(/\[/g)?.length ?? 0;
    const corrected = stdout.match(/\{/g)?.length ?? 0;
    // The prefill's token, then one of the target's in every round.
    expect(own + corrected).toBe(1 + stats.target_passes);
    expect(stats.proposed_tokens - stats.accepted_tokens).toBeGreaterThanOrEqual(corrected);
    expect(corrected).toBeGreaterThan(0);
  });
});

describe('sspec generate refuses, in one sentence with exit code 2', () => {
  it.each<[string, () => string[], RegExp]>([
    ['an empty prompt', () => ['--prompt', ''], /prompt is empty/],
    [
      'a prompt longer than the context',
      () => ['--prompt', 'word '.repeat(300)],
      /context holds 256/,
    ],
    ['an id that is no number', () => ['--prompt-ids', '1,x'], /--prompt-ids: "x"/],
    ['an id outside the vocabulary', () => ['--prompt-ids', '1,4096'], /id 4096 .*0 to 4095/],
    ['text for a model without tokenizer', () => [...tiny(), '--prompt', 'a'], /--prompt-ids/],
    [
      'a layer that is not there',
      () => [...story, '--skip-mlp', '3,12'],
      /--skip-mlp: .*no layer 12/,
    ],
    ['a method without its mask', () => [...story, '--method', 'skip'], /no mask/],
    [
      'a mask without its method',
      () => [...story, ...mask, '--method', 'lookup'],
      /method is lookup/,
    ],
    [
      'a threshold out of range',
      () => [...story, ...mask, '--threshold', '1.5'],
      /--threshold is 1.5/,
    ],
    [
      'a threshold that changes nothing',
      () => [...story, ...mask, '--draft-exit', 'fixed', '--threshold', '0.5'],
      /no use/,
    ],
    ['a sampling option out of range', () => [...story, '--top-p', '0'], /top_p is 0/],
    ['a seed that is no number', () => [...story, '--seed', '1.5'], /--seed is "1.5"/],
    ['no new tokens', () => ['--prompt', 'a', '--max-new-tokens', '0'], /--max-new-tokens is "0"/],
    ['an empty stop text', () => [...story, '--stop', ''], /--stop is empty/],
    ['two prompts', () => [...story, '--prompt-ids', '1'], /cannot also be provided/],
    ['an unknown flag', () => ['--prompt', 'a', '--promt', 'b'], /Unknown flag: --promt/],
    [
      'an unknown precision',
      () => [...story, '--precision', 'int3'],
      /int3 to be one of: fp32, int8, int4/,
    ],
    ['a device that is not there', () => [...story, '--device', 'tpu'], /Device tpu/],
    ['a model that is not there', () => [...story, '--model', 'no-such'], /"no-such"/],
    ['a missing prompt file', () => ['--prompt-file', 'no-such.txt'], /no prompt file no-such.txt/],
    ['a missing profile', () => [...story, '--profile', 'no-such.json'], /no profile no-such.json/],
  ])('%s', async (_, argv, message) => {
    expectRefused(await generate(...argv()), message);
  });

  it('an architecture that it does not know', async () => {
    const directory = temporaryDirectory();
    writeMiniature(directory);
    const file = join(directory, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"llama"', '"gpt2"'));
    expectRefused(await generate('--model', directory, '--prompt-ids', '1'), /model_type "gpt2"/);
  });

  it('a cut-off checkpoint', async () => {
    const directory = temporaryDirectory();
    writeMiniature(directory);
    truncateSync(join(directory, 'model.safetensors'), 20_000);
    expectRefused(await generate('--model', directory, '--prompt-ids', '1'), /model\.safetensors/);
  });
});

describe('sspec generate with a profile', () => {
  const write = (change: Partial<Profile>) => {
    const file = join(temporaryDirectory(), 'profile.json');
    writeFileSync(file, JSON.stringify({ ...exampleProfile, ...change }));
    return file;
  };
  const hashOf = async () => {
    const { loadModel } = await import('../../src/engine/load-model.js');
    const { engine } = await loadModel(mini);
    await engine.close();
    return engine.model.weightsHash;
  };

  it('refuses one of another model', async () => {
    const other = write({ model: { ...exampleProfile.model, layers: 12 } });
    expectRefused(await generate(...story, '--profile', other), /weights_hash/);
    expectRefused(
      await generate('--prompt-ids', '1', ...tiny(), '--profile', other),
      /model\.layers/,
    );
  });

  it('drafts with it, warns where circumstances differ, and lets flags go first', async () => {
    const model = { ...exampleProfile.model, layers: 4, weights_hash: await hashOf() };
    const draft = { draft_length: 3, draft_exit: 'fixed', threshold: 0 } as const;
    const file = write({ model, draft, skip_attention: [1], skip_mlp: [2], pareto: [] });
    const argv = ['--prompt-ids', '5', ...tiny(), '--profile', file];
    const result = await generate(...argv, '--json');
    expect(result.stderr).toMatch(/^Note: The profile was measured with another CPU/m);
    const own = JSON.parse(result.stdout);
    expect(own.method).toBe('skip');
    expect(own.stats.proposed_tokens).toBeGreaterThan(0);

    expect((await generate(...argv, '-q')).stderr).toBe('');
    const plain = await document(...argv, '--method', 'autoregressive');
    expect(plain).toMatchObject({ method: 'autoregressive', token_ids: own.token_ids });
    // Nothing skipped: the draft is the target, and with K = 1 every round accepts one token.
    const full = await document(
      ...argv,
      '--skip-attention',
      '',
      '--skip-mlp',
      '',
      '--draft-length',
      '1',
    );
    expect(full.stats.draft_acceptance_rate).toBe(1);
    expect(full.stats.mean_acceptance_length).toBeLessThanOrEqual(2);
  });
});

describe('sspec generate and its cache', () => {
  const cache = process.env.XDG_CACHE_HOME;
  afterEach(() => {
    process.env.XDG_CACHE_HOME = cache;
  });

  it('says that the cache folder cannot be written', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    process.env.XDG_CACHE_HOME = file;
    expectRefused(await generate('--prompt-ids', '1', ...tiny()), /Cannot compile the model into/);
  });

  it('shows on stderr what the first use waits for, and is silent with -q', async () => {
    const miniature = () => writeMiniature(temporaryDirectory(), { seed: Math.random() * 1e9 });
    const run = (...flags: string[]) =>
      generate(
        '--model',
        miniature().directory,
        '--prompt-ids',
        '1',
        '--max-new-tokens',
        '2',
        ...flags,
      );
    expect((await run()).stderr).toMatch(/Compiling .* to int8/);
    expect((await run('-q')).stderr).toBe('');
  });
});
