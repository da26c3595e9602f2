/** `sspec serve` in a process that tells its memory when asked: serve-load.ts starts it with the flags of the command. */
import Serve from '../../commands/serve.js';
import { packageRoot } from '../../src/package-root.js';

process.on('message', () => process.send?.(process.memoryUsage()));
await Serve.run([...process.argv.slice(2), '--port', '0'], packageRoot());
process.disconnect();
