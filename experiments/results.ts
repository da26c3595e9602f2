/**
 * Makes the table in results/README.md anew from the files beside it; experiments/run.ts does it too.
 *
 *     node --import ./test/register-typescript.mjs experiments/results.ts
 */
import { exitCodeOf } from '../src/cli/main.js';
import { writeResultsReadme } from './lib/results-readme.js';

process.exitCode = await exitCodeOf([], () => writeResultsReadme('results'));
