import { hashWeights } from '../../../../src/checkpoint/hash.js';
import { openCheckpoint } from '../../../../src/checkpoint/open-checkpoint.js';
import { InputError } from '../../../../src/errors.js';
import { compileModel } from '../../../../src/graph/compile.js';

/** Opens a checkpoint, reads all of it, and compiles what can be: one that is let through must compile, or say why not. */
export async function useCheckpoint(path: string): Promise<void> {
  const checkpoint = openCheckpoint(path);
  try {
    await hashWeights(checkpoint);
    try {
      await compileModel(checkpoint, 'int8');
    } catch (error) {
      // Small models do not fit the blocks of int8.
      if (!(error instanceof InputError) || !/use --precision fp32/.test(error.message))
        throw error;
      await compileModel(checkpoint, 'fp32');
    }
  } finally {
    checkpoint.close();
  }
}
