import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { InputError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import type { ModelConfig } from './model-config.js';

const CHUNK_BYTES = 8 << 20;

/** Told after every chunk: bytes hashed so far, and in all. */
export type HashProgress = (doneBytes: number, totalBytes: number) => void;

/**
 * The identity of a model's function: SHA-256 over the configuration that shapes a forward pass and over every tensor
 * (name, dtype, shape, bytes) in the order of names. How the tensors are spread over files does not matter.
 * @returns lower-case hex
 * @throws InputError when a file became shorter since the checkpoint was opened
 */
export async function hashWeights(
  checkpoint: Checkpoint,
  progress?: HashProgress,
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(`${JSON.stringify(Object.entries(shapingFields(checkpoint.config)).sort(byName))}\n`);
  const tensors = [...checkpoint.tensors].sort(byName);
  const totalBytes = tensors.reduce((sum, [, tensor]) => sum + tensor.byteLength, 0);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let doneBytes = 0;
  for (const [name, tensor] of tensors) {
    const { dtype, shape, file, offset, byteLength, interleavedHeads } = tensor;
    // dtype and shape give the number of bytes that follow, so no two sequences of tensors read the same.
    const order = interleavedHeads === undefined ? [] : [interleavedHeads];
    hash.update(`${JSON.stringify([name, dtype, shape, ...order])}\n`);
    const handle = await open(file);
    try {
      for (let at = 0; at < byteLength; ) {
        const { bytesRead } = await handle.read(
          buffer,
          0,
          Math.min(CHUNK_BYTES, byteLength - at),
          offset + at,
        );
        if (bytesRead === 0)
          throw new InputError(`${file} became shorter while it was read; download it again.`);
        hash.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
        doneBytes += bytesRead;
        progress?.(doneBytes, totalBytes);
      }
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex');
}

/** Where a sequence begins, ends or must stop does not change what a pass computes. */
function shapingFields(config: ModelConfig): Partial<ModelConfig> {
  const { bosTokenId: _bos, eosTokenIds: _eos, contextLength: _context, ...shaping } = config;
  return shaping;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
