import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { hashWeights } from '../checkpoint/hash.js';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { modelTensors } from '../checkpoint/model-tensors.js';
import { InputError } from '../errors.js';
import {
  cacheDirectory,
  errorCode,
  errorMessage,
  makeFolder,
  processIsAlive,
  writeFileAtomic,
} from '../files.js';
import { keepsBlocks, planStorage } from './layout.js';
import { elementsOf, matrixList } from './matrices.js';
import { buildModel } from './model.js';
import { type Precision, smallestBlock } from './quantise.js';
import { placeModel } from './store.js';
import { storeMatrices } from './store-threads.js';
import { WeightFile } from './weight-file.js';

/** Raised whenever the graph or the layout of its weights changes, so that older compiled models are not used. */
export const graphVersion = 12;

/** The same for models that keep blocks of their file, which others need not be compiled anew for. */
const keptBlocksVersion = 1;

/** A compiled model on disk, ready to be loaded: two graphs over one file of weights. */
export interface CompiledModel {
  /** The gated graph, which runs with any mask. */
  readonly path: string;
  /** The same without gates: a few microseconds per sublayer faster, for decoding that skips nothing. */
  readonly plainPath: string;
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** SHA-256 of the checkpoint's function (checkpoint/hash.ts). */
  readonly weightsHash: string;
  /** Names this compilation: content, precision and graph version. */
  readonly key: string;
}

/** Told how far a compilation is: what it does, and a share in [0, 1]. */
export type CompileProgress = (step: 'hashing' | 'compiling', share: number) => void;

export interface CompileOptions {
  readonly onProgress?: CompileProgress;
  /** Most threads that weights are converted in; default: as many as run at once here. The result is the same with any number. */
  readonly threads?: number;
}

/**
 * Compiles a checkpoint to its graphs, or finds it compiled in the cache folder.
 *
 * A compilation is written to a temporary folder and renamed when complete, so two processes may compile at once (one
 * result stays) and a killed one leaves nothing that is mistaken for a model; leftovers of dead processes are removed.
 * @throws InputError when the precision does not fit the model's sizes, or the cache folder cannot be written.
 */
export async function compileModel(
  checkpoint: Checkpoint,
  precision: Precision,
  options: CompileOptions = {},
): Promise<CompiledModel> {
  const { config } = checkpoint;
  const { onProgress = () => {}, threads = availableParallelism() } = options;
  if (precision !== 'fp32' && config.hiddenSize % smallestBlock !== 0) {
    throw new InputError(
      `${checkpoint.directory}: precision ${precision} needs a hidden_size that is a multiple of ${smallestBlock}, not ${config.hiddenSize}; use --precision fp32.`,
    );
  }
  const tensors = modelTensors(checkpoint);
  const plan = planStorage(config, tensors, precision);
  const folder = join(cacheDirectory(), 'models');
  try {
    makeFolder(folder);
    const weightsHash = await cachedHash(checkpoint, folder, (share) =>
      onProgress('hashing', share),
    );
    const shape = {
      ...{ context: config.contextLength, precision, version: graphVersion },
      ...(keepsBlocks(plan) ? { keptBlocks: keptBlocksVersion } : {}),
    };
    const key = createHash('sha256')
      .update(`${weightsHash} ${JSON.stringify(shape)}`)
      .digest('hex')
      .slice(0, 32);
    const place = join(folder, key);
    const compiled: CompiledModel = {
      ...{ path: join(place, 'model.onnx'), plainPath: join(place, 'plain.onnx') },
      ...{ config, precision, weightsHash, key },
    };
    if (isWhole(place)) return compiled;

    removeLeftovers(folder);
    const temporary = join(folder, `${key}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
    mkdirSync(temporary);
    try {
      const total = matrixList(plan.matrices).reduce((sum, matrix) => sum + elementsOf(matrix), 0);
      const stored = await withWeightFile(
        checkpoint,
        join(temporary, 'weights.bin'),
        async (file) => {
          const { stored, tasks } = placeModel(config, checkpoint, tensors, plan, file);
          const { descriptor } = file;
          const rotationSize = plan.rotation?.size ?? null;
          await storeMatrices({ tasks, rotationSize, descriptor }, threads, (done) =>
            onProgress('compiling', done / total),
          );
          return stored;
        },
      );
      for (const [name, gated] of [
        ['plain.onnx', false],
        ['model.onnx', true],
      ] as const) {
        writeFileSync(join(temporary, name), buildModel(config, stored, gated), { flush: true });
      }
      moveInto(temporary, place);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    return compiled;
  } catch (error) {
    if (error instanceof InputError || errorCode(error) === undefined) throw error;
    throw new InputError(`Cannot compile the model into ${folder}: ${errorMessage(error)}`);
  }
}

/** Runs `store` with a new weight file, and closes both it and what was read however it ends. */
async function withWeightFile<T>(
  checkpoint: Checkpoint,
  path: string,
  store: (file: WeightFile) => Promise<T>,
): Promise<T> {
  try {
    const file = new WeightFile(path);
    try {
      return await store(file);
    } finally {
      file.close();
    }
  } finally {
    checkpoint.close();
  }
}

/** Whether a compilation is there with all its files; somebody may have deleted some. */
function isWhole(place: string): boolean {
  return ['model.onnx', 'plain.onnx', 'weights.bin'].every((name) => existsSync(join(place, name)));
}

/** Renames a finished compilation into place; what another process put there first stays, what is not whole goes. */
function moveInto(temporary: string, place: string): void {
  try {
    renameSync(temporary, place);
  } catch {
    if (isWhole(place)) return;
    // Not before the first try: what another process has just put there is in use.
    rmSync(place, { recursive: true, force: true });
    renameSync(temporary, place);
  }
}

/** Removes temporary folders whose process no longer lives. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
    if (pid && !processIsAlive(Number(pid)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** The weights hash, remembered by path, size and modification time of the files it was made from. */
async function cachedHash(
  checkpoint: Checkpoint,
  folder: string,
  onProgress: (share: number) => void,
): Promise<string> {
  const files = checkpoint.files.map((file) => {
    const { size, mtimeMs } = statSync(file);
    return [file, size, mtimeMs];
  });
  const name = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 32);
  const remembered = join(folder, `${name}.hash`);
  if (existsSync(remembered)) {
    const text = readFileSync(remembered, 'utf8');
    if (/^[0-9a-f]{64}$/.test(text)) return text;
  }
  const hash = await hashWeights(checkpoint, (done, total) => onProgress(done / total));
  writeFileAtomic(remembered, hash);
  return hash;
}
