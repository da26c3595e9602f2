// A thread of store-threads.ts: writes matrices, and tells of the elements of every piece.
import { parentPort, workerData } from 'node:worker_threads';
import { type SharedJob, storeNext } from './store-threads.js';

const job: SharedJob = workerData;
storeNext(job, (elements) => parentPort?.postMessage(elements));
