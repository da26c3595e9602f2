/**
 * Runs experiments that stand in YAML files. Each writes results/<name>.json (rows, environment, the file's hash, the command),
 * .csv, .svg and .png; the table in results/README.md is made anew from what lies there. An interrupted experiment goes on
 * where it stopped when it is run again. The exit code is 1 when an output differs from autoregressive decoding by a defect.
 *
 *     node --import ./test/register-typescript.mjs experiments/run.ts FILE.yaml… | --all [--output results] [--state .sspec/experiments]
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interruptible } from '../src/cli/interrupt.js';
import { exitCodeOf } from '../src/cli/main.js';
import { InputError } from '../src/errors.js';
import { busyWarning } from '../src/measurement/busy.js';
import { readDefinition } from './lib/definition.js';
import { writeResultsReadme } from './lib/results-readme.js';
import { runExperiment } from './lib/run-experiment.js';

async function run(argv: string[]): Promise<void> {
  const { files, output, state } = parseFlags(argv);
  const definitions = files.map(readDefinition);
  const busy = await busyWarning();
  if (busy !== undefined) process.stderr.write(`${busy}\n`);
  for (const definition of definitions) {
    const command = `node --import ./test/register-typescript.mjs experiments/run.ts ${definition.file}`;
    const result = await interruptible((signal) =>
      runExperiment(definition, { output, state, command, quiet: false, signal }),
    );
    await writeResultsReadme(output);
    const isDefective = result.rows.some((row) =>
      row.divergences.some(({ kind }) => kind === 'defect'),
    );
    if (isDefective) process.exitCode = 1;
  }
}

/** @throws InputError when there is nothing to run. */
function parseFlags(argv: string[]) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      output: { type: 'string', default: 'results' },
      state: { type: 'string', default: '.sspec/experiments' },
    },
  });
  const { all, output, state } = values;
  const files = all
    ? readdirSync('experiments')
        .filter((file) => file.endsWith('.yaml'))
        .sort()
        .map((file) => join('experiments', file))
    : positionals;
  if (files.length === 0)
    throw new InputError('Name one or more experiments/*.yaml, or give --all.');
  return { files, output, state };
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => run(argv));
