/**
 * Models of real sizes: checkpoints of TinyLlama's shape (1.1 billion parameters, F16) and of Llama 2's (6.7 billion, BF16, in
 * shards) with random weights are compiled to int8 and int4, loaded, decoded with and searched (the larger one in int4), each in a
 * process of its own; with the acceptance that drafts would need to gain. The larger one takes 25 GB of disk at most and 16 GB of
 * memory; what is made is removed again. On a quiet machine.
 *
 *     node --import ./test/register-typescript.mjs experiments/sizes.ts [--shape tinyllama-1.1b]... [--precision int8]...
 *       [--step search]... [--folder .sspec/sizes] [--output results]
 *
 * What a step came to is written at once; a shape, precision or step that is measured alone keeps the figures of the others.
 */
import { fork } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { exitCodeOf } from '../src/cli/main.js';
import { physicalCores } from '../src/engine/cores.js';
import { InputError } from '../src/errors.js';
import { readJsonFile } from '../src/json-file.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { bestExpectedSpeedup } from '../src/measurement/pass-speed.js';
import { parseFlags } from './lib/flags.js';
import { SHAPES, type Shape, writeLargeCheckpoint } from './lib/large-checkpoint.js';
import { writeJson } from './lib/output.js';

const worker = fileURLToPath(new URL('./lib/size-steps.ts', import.meta.url));
const PRECISIONS: readonly string[] = ['int8', 'int4'];
/** All are preceded by compiling. */
const STEPS: readonly string[] = ['compile', 'run', 'search'];
const MAX_RESULT_BYTES = 1 << 24;
/** Models of more layers are searched in int4: the sessions of a search would have three times their weights in int8. */
const MOST_LAYERS_IN_INT8 = 24;
const COPY_CHUNK = 8 << 20;

const compiled = z.looseObject({ seconds: z.number(), weight_bytes: z.number() });
const ran = z.looseObject({
  verify: z.array(z.looseObject({ tokens: z.number(), v: z.number() })),
  ...{ c_floor: z.number(), c_without_attention: z.number(), c_without_mlp: z.number() },
});
const shapeFigures = z.looseObject({
  precisions: z.record(z.string(), z.record(z.string(), z.unknown())),
});
type ShapeFigures = z.infer<typeof shapeFigures>;
const results = z.object({ shapes: z.record(z.string(), shapeFigures) });

/** Does a step in a process of its own; where that is killed, as for memory, what it told until then and that it failed. */
function inProcess(
  step: string,
  model: string,
  precision: string,
  folder: string,
): Promise<unknown> {
  const env = {
    ...process.env,
    ...{ XDG_CACHE_HOME: join(folder, 'cache'), HF_HUB_OFFLINE: '1' },
    // As the commands start themselves.
    GLIBC_TUNABLES:
      process.env.GLIBC_TUNABLES ?? 'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432',
  };
  const child = fork(worker, [step, model, precision, folder], { env });
  return new Promise((done) => {
    let told: unknown;
    child.on('message', (message) => {
      told = message;
    });
    child.on('exit', (code, signal) => {
      done(code === 0 ? told : { ...Object(told), failed: `ended with ${signal ?? code}` });
    });
  });
}

/** Seconds that reading the checkpoint and writing as many bytes as its compilation has takes at least. */
function copySeconds(model: string, bytes: number, folder: string): number {
  const chunk = Buffer.alloc(COPY_CHUNK);
  const copy = join(folder, 'copy');
  const begin = performance.now();
  const to = openSync(copy, 'w');
  let left = bytes;
  for (const name of readdirSync(model).filter((file) => file.endsWith('.safetensors'))) {
    const from = openSync(join(model, name), 'r');
    for (let count = -1; count !== 0; ) {
      count = readSync(from, chunk);
      left -= writeSync(to, chunk, 0, Math.min(count, left));
    }
    closeSync(from);
  }
  fsyncSync(to);
  closeSync(to);
  const seconds = (performance.now() - begin) / 1000;
  rmSync(copy);
  return seconds;
}

/** The least acceptance with which drafts of the best length are so much faster; null where none is. */
function neededAcceptance(speed: z.infer<typeof ran>, c: number, gain: number): number | null {
  for (let percent = 0; percent <= 100; percent++)
    if (bestExpectedSpeedup(speed, percent / 100, c).speedup > gain) return percent / 100;
  return null;
}

/** What drafts would need, by their cost: with nothing but the head, half of all sublayers, or all of one kind. */
function needed(speed: z.infer<typeof ran>) {
  const kinds = {
    head_only: speed.c_floor,
    quarter_kept: speed.c_floor + (1 - speed.c_floor) / 4,
    half_kept: speed.c_floor + (1 - speed.c_floor) / 2,
    without_attention: speed.c_without_attention,
    without_mlp: speed.c_without_mlp,
  };
  return Object.entries(kinds).map(([drafts, c]) => ({
    ...{ drafts, c, to_gain: neededAcceptance(speed, c, 1) },
    to_gain_a_fifth: neededAcceptance(speed, c, 1.2),
  }));
}

/** @param known what earlier runs told of the shape. */
async function measureShape(
  shape: Shape,
  { precision: precisions, step: steps }: { precision: readonly string[]; step: readonly string[] },
  folder: string,
  known: ShapeFigures,
  tell: (figures: ShapeFigures) => void,
): Promise<void> {
  const model = join(folder, shape.name);
  const note = (what: string) =>
    console.error(`${new Date().toISOString()} ${shape.name}: ${what}`);
  note('writing the checkpoint');
  const checkpoint_bytes = writeLargeCheckpoint(model, shape);
  const { dtype, shards } = shape;
  const figures: ShapeFigures = { ...known, dtype, shards, checkpoint_bytes };
  for (const precision of precisions) {
    const at: Record<string, unknown> = { ...known.precisions[precision] };
    figures.precisions = { ...figures.precisions, [precision]: at };
    note(`compiling to ${precision}`);
    const compilation = compiled.parse(await inProcess('compile', model, precision, folder));
    if (steps.includes('compile')) {
      const copy_seconds = copySeconds(model, compilation.weight_bytes, folder);
      const share = { copy_seconds, share_of_disk_speed: copy_seconds / compilation.seconds };
      at.compile = { ...compilation, ...share };
      tell(figures);
    }
    if (steps.includes('run')) {
      note(`decoding at ${precision}`);
      at.run = await inProcess('run', model, precision, folder);
      const pass = ran.safeParse(at.run).data;
      if (pass) at.needed = needed(pass);
      tell(figures);
    }
    const searched = shape.layers > MOST_LAYERS_IN_INT8 ? 'int4' : 'int8';
    if (!steps.includes('search') || precision !== searched) continue;
    note('searching');
    figures.search = await inProcess('search', model, precision, folder);
    tell(figures);
  }
}

async function sizes(argv: string[]): Promise<void> {
  const names: readonly string[] = SHAPES.map(({ name }) => name);
  const texts = {
    shape: names,
    precision: PRECISIONS,
    step: STEPS,
    folder: join('.sspec', 'sizes'),
    output: 'results',
  };
  const flags = parseFlags(argv, {}, texts);
  const { shape, precision, step, folder, output } = flags;
  const choices = [...names, ...PRECISIONS, ...STEPS];
  const unknown = [...shape, ...precision, ...step].find((one) => !choices.includes(one));
  if (unknown !== undefined) throw new InputError(`"${unknown}" is none of ${choices.join(', ')}.`);
  const place = resolve(folder);
  const before = results.safeParse(readJsonFile(join(output, 'sizes.json'), MAX_RESULT_BYTES)).data;
  const shapes: Record<string, ShapeFigures> = { ...before?.shapes };
  const environment = describeEnvironment({
    threads: physicalCores(),
    precision: precision.join(', '),
  });
  for (const one of SHAPES.filter(({ name }) => shape.includes(name))) {
    mkdirSync(place, { recursive: true });
    try {
      const known = shapes[one.name] ?? { precisions: {} };
      await measureShape(one, flags, place, known, (figures) => {
        shapes[one.name] = { ...figures, environment };
        writeJson(output, 'sizes', { shapes });
      });
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => sizes(argv));
