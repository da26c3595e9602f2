// A process for search.test.ts to kill: runs `sspec search` from the sources with the arguments that follow.
import { fileURLToPath } from 'node:url';
import Search from '../../commands/search.js';

await Search.run(process.argv.slice(2), fileURLToPath(new URL('../..', import.meta.url)));
