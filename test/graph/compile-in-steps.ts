// A process for compile.test.ts: compiles the checkpoint argv[2] in int8, stops once the share argv[3] is compiled, says
// so, and goes on when the file argv[4] exists. Prints the path of the model.
import { existsSync, writeSync } from 'node:fs';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { compileModel } from '../../src/graph/compile.js';

const [directory, from, go] = process.argv.slice(2) as [string, string, string];
const clock = new Int32Array(new SharedArrayBuffer(4));
let stopped = false;
const { path } = await compileModel(openCheckpoint(directory), 'int8', {
  onProgress(step, share) {
    if (stopped || step !== 'compiling' || share < Number(from)) return;
    stopped = true;
    writeSync(1, 'stopped\n');
    while (!existsSync(go)) Atomics.wait(clock, 0, 0, 5);
  },
});
writeSync(1, `${path}\n`);
