/**
 * Mutated inputs through every door by which files, or answers, from elsewhere come in. Each must end in a right result or in one
 * sentence that names the file (`InputError`), within 5 s, with no more than 256 MiB of memory beside its own size, and write
 * nothing outside its folder; processes of their own show those that do not. Linux, for it reads /proc.
 *
 *     node --import ./test/register-typescript.mjs experiments/fuzz.ts [--runs 10000] [--seed 0] [--door NAME]... [--from 0]
 *       [--keep .sspec/fuzz] [--output results]
 *
 * Inputs are numbered: `--door gguf --from 17 --runs 1` is the eighteenth again. Those that showed something lie in `--keep`. The
 * exit code is 1 when there are any.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { exitCodeOf } from '../src/cli/main.js';
import { InputError } from '../src/errors.js';
import { readJsonFile } from '../src/json-file.js';
import { createProgress } from '../src/reporting/progress.js';
import { parseFlags } from './lib/flags.js';
import { doorNames } from './lib/fuzz/doors/index.js';
import { type DoorReport, fuzzDoor } from './lib/fuzz/run.js';
import { writeJson } from './lib/output.js';

const MAX_RESULT_BYTES = 1 << 24;
const file = z.object({ doors: z.array(z.looseObject({ door: z.string() })) });

/** Writes what came of a door beside what came of others, which may have been run before. */
function writeReport(output: string, report: DoorReport & { readonly command: string }): void {
  const before = readJsonFile(join(output, 'fuzz.json'), MAX_RESULT_BYTES);
  const others =
    file.safeParse(before).data?.doors.filter(({ door }) => door !== report.door) ?? [];
  const doors = [...others, report].sort((a, b) => order(a.door) - order(b.door));
  writeJson(output, 'fuzz', { doors });
}

const names: readonly string[] = doorNames;
const order = (door: string) => names.indexOf(door);

async function fuzz(argv: string[]): Promise<void> {
  const numbers = { runs: 10_000, seed: 0, from: 0 };
  const texts = {
    door: doorNames as readonly string[],
    keep: join('.sspec', 'fuzz'),
    output: 'results',
  };
  const { runs, seed, from, door, keep, output } = parseFlags(argv, numbers, texts);
  const unknown = door.find((name) => !doorNames.some((known) => known === name));
  if (unknown !== undefined)
    throw new InputError(`--door "${unknown}" is none; there are ${doorNames.join(', ')}.`);
  const kept = resolve(keep);
  mkdirSync(kept, { recursive: true });
  const command = `experiments/fuzz.ts --runs ${runs} --seed ${seed}${from > 0 ? ` --from ${from}` : ''}`;
  const reports: DoorReport[] = [];
  for (const name of doorNames.filter((known) => door.includes(known))) {
    const progress = createProgress({ label: name, total: runs, unit: 'inputs', quiet: false });
    const options = { runs, seed, from, keep: kept, onProgress: progress.update };
    const report = await fuzzDoor(name, options);
    progress.stop();
    reports.push(report);
    for (const { input, what } of report.findings) console.error(`${name} ${input}: ${what}`);
    writeReport(output, { ...report, command });
  }
  console.table(
    reports.map(({ findings, ...report }) => ({ ...report, findings: findings.length })),
  );
  if (reports.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => fuzz(argv));
