/** A command in a process of its own, run from the sources: killed-command.ts starts it with the command's name and flags. */
import Search from '../../commands/search.js';
import Worker from '../../commands/worker.js';
import { exitCodeOf } from '../../src/cli/main.js';
import { packageRoot } from '../../src/package-root.js';

const [name, ...argv] = process.argv.slice(2);
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
process.channel?.unref();
process.exitCode = await exitCodeOf(argv, () =>
  name === 'worker' ? Worker.run(argv, packageRoot()) : Search.run(argv, packageRoot()),
);
