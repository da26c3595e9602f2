/**
 * Makes what README.md and results/README.md tell of results anew from the files in results/; experiments/run.ts does so for the
 * second.
 *
 *     node --import ./test/register-typescript.mjs experiments/results.ts
 */
import { exitCodeOf } from '../src/cli/main.js';
import { writeReadme, writeResultsReadme } from './lib/readme.js';

process.exitCode = await exitCodeOf([], async () => {
  await writeResultsReadme('results');
  await writeReadme('README.md', 'results');
});
