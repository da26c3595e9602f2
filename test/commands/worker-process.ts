// A process for the tests of distributed searches to kill: runs `sspec worker` from the sources with the arguments that follow.
import { fileURLToPath } from 'node:url';
import Worker from '../../commands/worker.js';
import { exitCodeOf } from '../../src/cli/main.js';

const argv = process.argv.slice(2);
const root = fileURLToPath(new URL('../..', import.meta.url));
process.exitCode = await exitCodeOf(argv, () => Worker.run(argv, root));
