import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createTensorReader } from '../checkpoint/tensor-reader.js';
import { InputError } from '../errors.js';
import { elementsOf } from './matrices.js';
import { Rotation } from './rotation.js';
import { bytesAtOnce, type MatrixTask, storeMatrix } from './store-matrix.js';

/** Matrices that threads write side by side: each to its own place, so that the file is the same however many there are. */
export interface StoreJob {
  readonly tasks: readonly MatrixTask[];
  /** Size of the hidden states that are rotated; null where none are. */
  readonly rotationSize: number | null;
  /** Of the data file. */
  readonly descriptor: number;
}

/** A job as threads share it. */
export interface SharedJob extends StoreJob {
  /** How many tasks have been begun, [1]. */
  readonly begun: Int32Array;
}

/** What a thread must have to do: starting one takes some hundredths of a second. */
const elementsPerThread = 1 << 24;
/** Bytes that the threads may have at once; there is little beside their matrices. */
const mostBytes = 1 << 30;

/**
 * Writes the matrices of a job, in other threads where it is worth it, and in this one where one is enough.
 * @param threads at most.
 * @param onProgress told the number of elements written so far.
 */
export async function storeMatrices(
  job: StoreJob,
  threads: number,
  onProgress: (elements: number) => void,
): Promise<void> {
  let done = 0;
  const progress = (elements: number) => {
    done += elements;
    onProgress(done);
  };
  const shared = { ...job, begun: new Int32Array(new SharedArrayBuffer(4)) };
  const count = threadsFor(job, threads);
  if (count === 1) {
    storeNext(shared, progress);
    return;
  }
  const url = new URL(`./store-worker${extname(import.meta.url)}`, import.meta.url);
  const workers = Array.from({ length: count }, () => new Worker(url, { workerData: shared }));
  try {
    await Promise.all(workers.map((worker) => ended(worker, progress)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Writes every matrix that no thread has begun yet. */
export function storeNext(
  { tasks, rotationSize, descriptor, begun }: SharedJob,
  onProgress: (elements: number) => void,
): void {
  const reader = createTensorReader();
  const rotation = rotationSize === null ? null : new Rotation(rotationSize);
  try {
    for (;;) {
      const task = tasks[Atomics.add(begun, 0, 1)];
      if (task === undefined) return;
      storeMatrix(task, { reader, rotation, descriptor, onProgress });
    }
  } finally {
    reader.close();
  }
}

function threadsFor({ tasks, rotationSize }: StoreJob, threads: number): number {
  const all = tasks.reduce((sum, { matrix }) => sum + elementsOf(matrix), 0);
  const bytes = Math.max(...tasks.map((task) => bytesAtOnce(task, rotationSize !== null)));
  return Math.max(1, Math.floor(Math.min(threads, all / elementsPerThread, mostBytes / bytes)));
}

/** Until a thread has done all that was to be done; fails as it does. */
function ended(worker: Worker, onProgress: (elements: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (elements: number) => {
      try {
        onProgress(elements);
      } catch (error) {
        reject(error);
      }
    });
    // Of an error's class nothing but its name comes over.
    worker.on('error', (error) =>
      reject(error.name === 'InputError' ? new InputError(error.message) : error),
    );
    worker.on('exit', () => resolve());
  });
}
