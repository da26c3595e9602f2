import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { InputError } from '../errors.js';
import { errorMessage, processIsAlive } from '../files.js';
import type { CompiledModel } from '../graph/compile.js';
import { matrixSizes } from '../graph/parameters.js';
import type { Precision } from '../graph/quantise.js';
import { specialise } from '../graph/specialise.js';
import type { SkipMask } from '../profile/mask.js';

/**
 * Drafts whose weights are smaller run on one thread. Their products are so short that a second thread saves less than the
 * two sessions lose to each other, whose idle threads spin for a while after every pass.
 */
const oneThreadBytes = 48 * 2 ** 20;

const bytesPerWeight: Record<Precision, number> = { fp32: 4, int8: 1, int4: 0.5 };

/** How many of the target's threads the session of a draft gets. */
export function draftThreads(
  config: ModelConfig,
  precision: Precision,
  mask: SkipMask,
  threads: number,
): number {
  const { attention, mlp, embedding } = matrixSizes(config);
  const weights =
    (config.layers - mask.attention.length) * attention +
    (config.layers - mask.mlp.length) * mlp +
    embedding;
  return weights * bytesPerWeight[precision] < oneThreadBytes ? 1 : threads;
}

/**
 * Writes the graph of a draft beside its weights, see {@link writeGraph}.
 * @throws InputError when the folder cannot be written.
 */
export function writeDraft(model: CompiledModel, mask: SkipMask): string {
  return writeGraph(model, specialise(readFileSync(model.path), mask, model.config.layers));
}

/**
 * Writes a graph over a model's weights beside them, where the runtime looks for them; it can go as soon as it is loaded. What
 * dead processes left is removed.
 * @returns its path.
 * @throws InputError when the folder cannot be written.
 */
export function writeGraph(model: CompiledModel, graph: Uint8Array): string {
  const folder = dirname(model.path);
  try {
    for (const name of readdirSync(folder)) {
      const owner = /^draft\.(\d+)\.[0-9a-f]{8}\.onnx$/.exec(name)?.[1];
      if (owner && !processIsAlive(Number(owner))) rmSync(join(folder, name), { force: true });
    }
    const path = join(folder, `draft.${process.pid}.${randomBytes(4).toString('hex')}.onnx`);
    writeFileSync(path, graph);
    return path;
  } catch (error) {
    throw new InputError(`Cannot write a draft's graph into ${folder}: ${errorMessage(error)}`);
  }
}
