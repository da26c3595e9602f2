import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import Generate from '../../commands/generate.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

const generate = (...argv: string[]) => runCommand(Generate, argv);
const story = ['--prompt', 'Once upon a time', '--max-new-tokens', '24'];
const mask = ['--skip-attention', '3,5', '--skip-mlp', '4'];
let mini: string;
const tiny = () => ['--model', mini, '--max-new-tokens', '8'];

beforeAll(() => {
  mini = writeMiniature(temporaryDirectory(), { contextLength: 64 }).directory;
});

describe('sspec generate refuses, in one sentence with exit code 2', () => {
  it.each<[string, () => string[], RegExp]>([
    ['an empty prompt', () => ['--prompt', ''], /prompt is empty/],
    [
      'a prompt longer than the context',
      () => ['--prompt', 'word '.repeat(1200)],
      /context holds 1024/,
    ],
    ['an id that is no number', () => ['--prompt-ids', '1,x'], /--prompt-ids: "x"/],
    ['an id outside the vocabulary', () => ['--prompt-ids', '1,4096'], /id 4096 .*0 to 4095/],
    ['text for a model without tokenizer', () => [...tiny(), '--prompt', 'a'], /--prompt-ids/],
    [
      'a layer that is not there',
      () => [...story, '--skip-mlp', '3,24'],
      /--skip-mlp: .*no layer 24/,
    ],
    ['a method without its mask', () => [...story, '--method', 'skip'], /no mask/],
    ['a cascade without a mask', () => [...story, '--method', 'cascade'], /no mask/],
    [
      'an exit by cost without costs',
      () => [...story, ...mask, '--draft-exit', 'cost'],
      /"cost" needs the costs/,
    ],
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
    [
      'a sampling option out of range',
      () => [...story, '--top-p', '0'],
      /^Error: --top-p is 0: give/m,
    ],
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
    [
      'a device whose libraries are not installed',
      () => [...story, '--device', 'tensorrt'],
      /^Error: Device tensorrt (needs libraries .* fetch them with "node .*--onnxruntime-node-install=cuda12"|is not in this|cannot be used here)/m,
    ],
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
