/**
 * Runs experiments that stand in YAML files. Each writes results/<name>.json (rows, environment, the file's hash, the command),
 * .csv, .svg and .png; the table in results/README.md is made anew from what lies there. The exit code is 1 when an output
 * differs from autoregressive decoding by a defect.
 *
 *     node --import ./test/register-typescript.mjs experiments/run.ts FILE.yaml… | --all [--output results]
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interruptible } from '../src/cli/interrupt.js';
import { exitCodeOf } from '../src/cli/main.js';
import { InputError } from '../src/errors.js';
import { busyWarning } from '../src/measurement/busy.js';
import { toCsv } from '../src/reporting/csv.js';
import { readDefinition } from './lib/definition.js';
import { runExperiment } from './lib/experiment.js';
import { experimentFigure } from './lib/figure.js';
import { writeFigure, writeJson, writeText } from './lib/output.js';
import { writeResultsReadme } from './lib/readme.js';

async function run(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { all: { type: 'boolean' }, output: { type: 'string', default: 'results' } },
  });
  const { all, output } = values;
  const known = readdirSync('experiments').filter((file) => file.endsWith('.yaml'));
  const files = all ? known.map((file) => join('experiments', file)) : positionals;
  if (files.length === 0)
    throw new InputError('Name one or more experiments/*.yaml, or give --all.');
  const busy = await busyWarning();
  if (busy !== undefined) process.stderr.write(`${busy}\n`);
  for (const definition of files.map(readDefinition)) {
    const command = `node --import ./test/register-typescript.mjs experiments/run.ts ${definition.file}`;
    const result = await interruptible((signal) => runExperiment(definition, command, signal));
    writeText(output, `${definition.name}.csv`, toCsv(result.rows));
    await writeFigure(output, experimentFigure(definition, result));
    writeJson(output, definition.name, result);
    await writeResultsReadme(output);
    const kinds = result.rows.flatMap((row) => row.divergences.map(({ kind }) => kind));
    if (kinds.includes('defect')) process.exitCode = 1;
  }
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => run(argv));
