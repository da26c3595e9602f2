/**
 * Searches whose processes are killed (SIGKILL) at random moments and gone on with: is a trial lost or doubled, does an equal plan come
 * to another result, is a generation of the last rungs measured twice? A search that nobody kills gives the cost model, so that scores
 * can be compared to the bit, and the results to hold others against. With a database (a PostgreSQL server of its own) there are workers,
 * the server is restarted and its connections are cut. The exit code is 1 where something was wrong.
 *
 *     node --import ./test/register-typescript.mjs experiments/kills.ts [--storage journal|postgres] [--sampler bo] [--kills 100]
 *       [--trials 40] [--workers 3] [--seed 1] [--output results]
 *
 * Writes kills.json, where runs with other storages, samplers and seeds stay.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { exitCodeOf } from '../src/cli/main.js';
import { InputError } from '../src/errors.js';
import { readJsonFile } from '../src/json-file.js';
import { startPostgres } from '../test/helpers/postgres.js';
import { parseFlags } from './lib/flags.js';
import { killSearches } from './lib/kill-searches.js';
import { writeJson } from './lib/output.js';

const MAX_BYTES = 2 ** 20;
const Runs = z.object({
  runs: z.array(z.looseObject({ storage: z.string(), sampler: z.string(), seed: z.number() })),
});

async function kills(argv: string[]): Promise<void> {
  const { storage, sampler, output, ...numbers } = parseFlags(
    argv,
    { kills: 100, trials: 40, workers: 3, seed: 1 },
    { storage: 'journal', sampler: 'bo', output: 'results' },
  );
  if (storage !== 'journal' && storage !== 'postgres')
    throw new InputError(`--storage is ${storage}: give journal or postgres.`);
  const folder = mkdtempSync(join(tmpdir(), 'sspec-kills-'));
  const database = mkdtempSync(join(tmpdir(), 'sspec-kills-database-'));
  const server = storage === 'postgres' ? await startPostgres(database) : undefined;
  try {
    const found = await killSearches({ folder, sampler, ...numbers, ...(server && { server }) });
    const run = { storage, sampler, seed: numbers.seed, ...found };
    const known = Runs.safeParse(readJsonFile(join(output, 'kills.json'), MAX_BYTES));
    const others = (known.data?.runs ?? []).filter(
      (one) => one.storage !== storage || one.sampler !== sampler || one.seed !== numbers.seed,
    );
    writeJson(output, 'kills', { runs: [...others, run] });
    process.stderr.write(`${JSON.stringify(run)}\n`);
    if (found.problems.length > 0) process.exitCode = 1;
  } finally {
    await server?.stop('immediate');
    for (const made of [folder, database]) rmSync(made, { recursive: true });
  }
}

const failed = await exitCodeOf([], () => kills(process.argv.slice(2)));
process.exitCode ||= failed;
