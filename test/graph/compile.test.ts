import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { type CompileProgress, compileModel } from '../../src/graph/compile.js';
import type { Precision } from '../../src/graph/quantise.js';
import { type MiniatureOptions, writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const usual = process.env.XDG_CACHE_HOME;
let cache = '';
/** Where compiled models go. */
const models = () => join(cache, 'sspec', 'models');
beforeEach(() => {
  cache = temporaryDirectory();
  process.env.XDG_CACHE_HOME = cache;
});
afterEach(() => {
  if (usual === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = usual;
});

const write = (options: MiniatureOptions = {}) =>
  writeMiniature(temporaryDirectory(), { vocabSize: 64, contextLength: 64, ...options }).directory;
const compile = (directory: string, precision: Precision = 'int8') =>
  compileModel(openCheckpoint(directory), precision);
/** Everything of a compiled model that matters, as text. */
const bytesOf = (model: string) =>
  ['model.onnx', 'weights.bin'].map((f) => readFileSync(join(dirname(model), f)).toString('hex'));
/** What is in the folder of models: names of models, hashes and leftovers. */
const entries = () => {
  const names = readdirSync(models());
  return {
    compiled: names.filter((name) => !name.includes('.')),
    leftovers: names.filter((name) => name.endsWith('.tmp')),
  };
};

describe('the cache of compiled models', () => {
  it('compiles once, and then touches nothing', async () => {
    const directory = write();
    const steps: string[] = [];
    const onProgress: CompileProgress = (step) => steps.push(step);
    const first = await compileModel(openCheckpoint(directory), 'int8', { onProgress });
    expect(new Set(steps)).toEqual(new Set(['hashing', 'compiling']));
    const files = [first.path, join(dirname(first.path), 'weights.bin')];
    for (const file of files) utimesSync(file, 1000, 1000);
    const names = readdirSync(models());

    steps.length = 0;
    expect(await compileModel(openCheckpoint(directory), 'int8', { onProgress })).toEqual(first);
    expect(steps).toEqual([]);
    expect(files.map((file) => statSync(file).mtimeMs)).toEqual([1_000_000, 1_000_000]);
    expect(readdirSync(models())).toEqual(names);
  });

  it('progress goes up to 1', async () => {
    const shares: number[] = [];
    const onProgress: CompileProgress = (step, share) => {
      if (step === 'compiling') shares.push(share);
    };
    const options = { tied: true, heads: 6, headDim: 16, intermediateSize: 72 };
    await compileModel(openCheckpoint(write(options)), 'int4', { onProgress });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('calls at the same time give one model', async () => {
    const directory = write();
    const made = await Promise.all([1, 2, 3, 4].map(() => compile(directory)));
    for (const model of made) expect(model).toEqual(made[0]);
    expect(entries()).toEqual({ compiled: [made[0]!.key], leftovers: [] });
  });

  it('keeps models apart that differ in weights, precision or context', async () => {
    const made = [
      await compile(write()),
      await compile(write(), 'int4'),
      await compile(write(), 'fp32'),
      await compile(write({ seed: 1 })),
      await compile(write({ contextLength: 80 })),
    ];
    expect(new Set(made.map((model) => model.key)).size).toBe(made.length);
    const hashes = made.map((model) => model.weightsHash);
    // Only the weights, not what is made of them, are in the hash that profiles are bound to.
    expect(hashes.map((hash) => hash === hashes[0])).toEqual([true, true, true, false, true]);
    expect((await compile(write({ shards: 2 }))).key).toBe(made[0]!.key);
  });

  it('notices other weights in the same place, and a damaged record of the hash', async () => {
    const directory = write();
    const before = await compile(directory);
    const [record] = readdirSync(models()).filter((name) => name.endsWith('.hash'));
    writeFileSync(join(models(), record!), 'damaged');
    expect(await compile(directory)).toEqual(before);

    const weights = join(directory, 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 2]! ^= 1;
    writeFileSync(weights, bytes);
    utimesSync(weights, 2000, 2000);
    const after = await compile(directory);
    expect(after.weightsHash).not.toBe(before.weightsHash);
    expect(after.path).not.toBe(before.path);
  });

  it('takes end-of-sequence ids from the checkpoint at hand, not from the compiled model', async () => {
    const before = await compile(write({ eosTokenIds: [3] }));
    const after = await compile(write({ eosTokenIds: [5, 6] }));
    expect(after.path).toBe(before.path);
    expect(after.config.eosTokenIds).toEqual([5, 6]);
  });
});

describe('several processes', () => {
  /** Starts compile-in-steps.ts and waits until it has stopped. */
  async function startCompiling(directory: string, from: number, go: string) {
    const loader = join(import.meta.dirname, '../register-typescript.mjs');
    const script = join(import.meta.dirname, 'compile-in-steps.ts');
    const args = ['--import', loader, script, directory, String(from), go];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.startsWith('stopped\n')) resolve();
      });
      child.on('close', () => reject(new Error('the process ended before it stopped')));
    });
    return { child, closed, path: () => output.split('\n')[1] };
  }
  const kill = (child: ChildProcess) => child.kill('SIGKILL');

  it('compiling the same model at the same time leave one good model', async () => {
    const directory = write();
    const go = join(cache, 'go');
    // Both have found no model and are half-way when they are let go on.
    const running = await Promise.all(
      [0.5, 0.7].map((from) => startCompiling(directory, from, go)),
    );
    expect(entries().leftovers).toHaveLength(2);
    writeFileSync(go, '');
    expect(await Promise.all(running.map(({ closed }) => closed))).toEqual([0, 0]);

    const model = await compile(directory);
    for (const { path } of running) expect(path()).toBe(model.path);
    expect(entries()).toEqual({ compiled: [model.key], leftovers: [] });
    const shared = bytesOf(model.path);
    process.env.XDG_CACHE_HOME = temporaryDirectory();
    expect(bytesOf((await compile(directory)).path)).toEqual(shared);
  });

  it.each([0, 0.5, 1])(
    'one killed at the share %d leaves nothing that is taken for a model',
    async (share) => {
      const directory = write();
      const { child, closed } = await startCompiling(directory, share, join(cache, 'never'));
      expect(entries().leftovers).toHaveLength(1);
      kill(child);
      await closed;
      expect(entries()).toMatchObject({ compiled: [], leftovers: { length: 1 } });

      const model = await compile(directory);
      expect(entries()).toEqual({ compiled: [model.key], leftovers: [] });
      const engine = await Engine.load(model, { threads: 1 });
      await engine.close();
    },
  );

  it('removes what a dead process left and nothing of a live one', async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const name = (pid: number, end = 'tmp') => `${'0'.repeat(32)}.${pid}.0123abcd.${end}`;
    // Process 1 lives, and is not ours unless the tests run as root.
    const kept = [name(process.pid), name(1), name(dead, 'other'), 'notes.tmp'];
    for (const leftover of [name(dead), ...kept]) {
      mkdirSync(join(models(), leftover), { recursive: true });
      writeFileSync(join(models(), leftover, 'weights.bin'), '');
    }
    const { key } = await compile(write());
    const names = readdirSync(models()).filter((entry) => !entry.endsWith('.hash'));
    expect(new Set(names)).toEqual(new Set([...kept, key]));
  });
});

it.each(['model.onnx', 'plain.onnx', 'weights.bin'])(
  'without its %s a compilation is made anew',
  async (name) => {
    const directory = write();
    const { path } = await compile(directory);
    const whole = bytesOf(path);
    rmSync(join(dirname(path), name));
    await compile(directory);
    expect(bytesOf(path)).toEqual(whole);
    expect(entries().leftovers).toEqual([]);
  },
);

it('leaves no file open when it fails', async () => {
  const directory = write();
  const open = () => readdirSync('/dev/fd').length;
  const before = open();
  const onProgress: CompileProgress = (step) => {
    if (step === 'compiling') throw new Error('no space');
  };
  for (let i = 0; i < 3; i++) {
    await expect(compileModel(openCheckpoint(directory), 'int8', { onProgress })).rejects.toThrow(
      'no space',
    );
  }
  expect(open()).toBe(before);
});

describe('what cannot be compiled is an error of input', () => {
  it('a cache folder that cannot be written, naming it', async () => {
    const file = join(cache, 'a-file');
    writeFileSync(file, '');
    process.env.XDG_CACHE_HOME = file;
    const failing = compile(write());
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toThrow(join(file, 'sspec', 'models'));
  });

  it.each(['int8', 'int4'] as const)(
    'a hidden size off 32 in %s, before any work',
    async (precision) => {
      const directory = write({ hiddenSize: 48, headDim: 12 });
      const failing = compile(directory, precision);
      await expect(failing).rejects.toThrow(InputError);
      await expect(failing).rejects.toThrow(/hidden_size.*48.*fp32/);
      expect(existsSync(models())).toBe(false);
      expect((await compile(directory, 'fp32')).path).toContain(models());
    },
  );
});
