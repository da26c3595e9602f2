import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelTensors } from '../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { InputError } from '../../src/errors.js';
import { planStorage } from '../../src/graph/layout.js';
import { elementsOf, matrixList } from '../../src/graph/matrices.js';
import type { Precision } from '../../src/graph/quantise.js';
import { placeModel } from '../../src/graph/store.js';
import { type StoreJob, storeMatrices } from '../../src/graph/store-threads.js';
import { WeightFile } from '../../src/graph/weight-file.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/** Large enough for three threads, with biases that are rotated. */
const model = temporaryDirectory();
beforeAll(() => {
  writeMiniature(model, {
    ...{ layers: 2, hiddenSize: 768, intermediateSize: 1536, heads: 8, headDim: 96 },
    ...{ vocabSize: 18_000, attentionBias: true, mlpBias: true, dtype: 'F16' },
  });
});

/** What is to be written of a model to a file of its own. */
function jobOf(directory: string, precision: Precision, path: string) {
  const checkpoint = openCheckpoint(directory);
  const { config } = checkpoint;
  const tensors = modelTensors(checkpoint);
  const plan = planStorage(config, tensors, precision);
  const file = new WeightFile(path);
  const { tasks } = placeModel(config, checkpoint, tensors, plan, file);
  checkpoint.close();
  const rotationSize = plan.rotation?.size ?? null;
  const job: StoreJob = { tasks, rotationSize, descriptor: file.descriptor };
  const elements = matrixList(plan.matrices).reduce((sum, matrix) => sum + elementsOf(matrix), 0);
  return { job, file, elements };
}

const weights = () => join(temporaryDirectory(), 'weights.bin');

describe('the weights of a model', () => {
  // Where these change, models that are compiled already are others: raise graphVersion.
  it.each([
    ['int8', '869bf41e89d5ce32'],
    ['int4', '7fe2b320a01c7c5f'],
    ['fp32', 'b29d6d5f0358d09a'],
  ] as const)(
    'are the same bytes in %s with any number of threads, as ever',
    async (precision, beginning) => {
      const hashes: string[] = [];
      for (const threads of [1, 2, 3]) {
        const path = weights();
        const { job, file, elements } = jobOf(model, precision, path);
        const told: number[] = [];
        await storeMatrices(job, threads, (done) => told.push(done));
        file.close();
        expect(told).toEqual([...told].sort((a, b) => a - b));
        expect(told.at(-1)).toBe(elements);
        hashes.push(createHash('sha256').update(readFileSync(path)).digest('hex'));
      }
      expect(new Set(hashes).size).toBe(1);
      expect(hashes[0]?.slice(0, 16)).toBe(beginning);
    },
  );
});

describe('a thread that fails', () => {
  const open = () => readdirSync('/dev/fd').length;

  it('is an error of input as it would be in the first one, and leaves no file open', async () => {
    const directory = temporaryDirectory();
    writeMiniature(directory, { layers: 1, hiddenSize: 768, vocabSize: 18_000, dtype: 'F16' });
    const before = open();
    const { job, file } = jobOf(directory, 'int8', weights());
    rmSync(join(directory, 'model.safetensors'));
    const storing = storeMatrices(job, 2, () => {});
    await expect(storing).rejects.toThrow(InputError);
    await expect(storing).rejects.toThrow(/Cannot open the weights: .*model\.safetensors/);
    file.close();
    expect(open()).toBe(before);
  });

  it('tells of a file that cannot be written by its code', async () => {
    const path = weights();
    const { job, file } = jobOf(model, 'int4', path);
    file.close();
    const descriptor = openSync(path, 'r');
    const storing = storeMatrices({ ...job, descriptor }, 2, () => {});
    await expect(storing).rejects.toMatchObject({ code: 'EBADF' });
    closeSync(descriptor);
  });

  it('stops with the others when the one who is told of progress does', async () => {
    const before = open();
    const { job, file } = jobOf(model, 'int8', weights());
    const storing = storeMatrices(job, 2, () => {
      throw new Error('enough');
    });
    await expect(storing).rejects.toThrow('enough');
    file.close();
    expect(open()).toBe(before);
  });
});
