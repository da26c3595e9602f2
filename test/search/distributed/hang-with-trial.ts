// A process for distributed.test.ts: takes a trial of a study, says so, and never comes back to its event loop.
import { postgresStorage } from '../../../src/study/postgres/storage.js';

const [address = '', header = '', times = ''] = process.argv.slice(2);
const queue = await postgresStorage(address).openTrialQueue(
  JSON.parse(header),
  false,
  JSON.parse(times),
);
const job = await queue.take();
// Written when the call returns, as nothing is written afterwards.
process.stdout.write(`holds ${job?.trial}\n`, () =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
);
