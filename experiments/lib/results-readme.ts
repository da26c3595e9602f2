import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashWeights } from '../../src/checkpoint/hash.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { resolveModel } from '../../src/checkpoint/resolve.js';
import { InputError } from '../../src/errors.js';
import { writeFileAtomic } from '../../src/files.js';
import { readJsonFile, readTextFile } from '../../src/json-file.js';
import { busyReason } from '../../src/measurement/busy.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { measuredRows, pooledName } from './figure.js';
import { emptyPart, replacePart } from './generated-part.js';
import { type ExperimentResult, readResult } from './result.js';
import { LISTED, speedupText } from './results-index.js';

const MAX_BYTES = 64 * 2 ** 20;
const PART = 'table';
const NEW_README = `# Results\n\n${emptyPart(PART)}`;

/** More variants than these are told by the best and the worst. */
const mostTold = 6;

const columns = [
  { key: 'files' },
  { key: 'shows' },
  { key: 'figures' },
  { key: 'command' },
] as const;

/**
 * Fills in the generated part of README.md in a folder of results, so that no figure in it is typed by hand.
 * @throws InputError when README.md lacks the marks of that part, or a result is not what it should be.
 */
export async function writeResultsReadme(directory: string): Promise<void> {
  const file = join(directory, 'README.md');
  const text = readTextFile(file, MAX_BYTES) ?? NEW_README;
  writeFileAtomic(file, await resultsReadme(directory, text));
}

/** @param text of README.md as it is. */
export async function resultsReadme(directory: string, text: string): Promise<string> {
  const table = resultsTable(directory, await bundledHash());
  return replacePart(text, PART, table, join(directory, 'README.md'));
}

/** Identity of the weights that are bundled now. */
export async function bundledHash(): Promise<string> {
  return hashWeights(openCheckpoint(await resolveModel('demo')));
}

/** A row for every result in the folder. @param bundled bundledHash() */
function resultsTable(directory: string, bundled: string): string {
  const groups = new Map<string, string[]>();
  // Folders are journals that go on (samplers.ts), not results.
  const entries = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of entries.map(({ name }) => name).sort()) {
    if (file === 'README.md' || file.endsWith('.tmp')) continue;
    const name = file.split('.', 1)[0]!;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  const rows = [...groups].map(([name, files]) => ({
    files: `${name} (${files.map((file) => `[${endingOf(name, file)}](${file})`).join(', ')})`,
    ...describe(directory, name, files, bundled),
  }));
  return toMarkdown(columns, rows);
}

function endingOf(name: string, file: string): string {
  return file.slice(name.length + 1);
}

/** Whether a JSON file names weights, and not those that are bundled now. */
function isOfOtherWeights(file: string, bundled: string): boolean {
  if (!file.endsWith('.json')) return false;
  const named = readTextFile(file, MAX_BYTES)?.match(/"(weights|model)_hash": "[0-9a-f]{64}"/g);
  return named != null && !named.some((field) => field.includes(bundled));
}

/**
 * What a result shows, its main figures and its command.
 * @param files those of its name, in the folder.
 * @param bundled bundledHash()
 */
export function describe(
  directory: string,
  name: string,
  files: readonly string[],
  bundled: string,
): { readonly shows: string; readonly figures: string; readonly command: string } {
  const { shows, figures, command } = told(directory, name, files);
  const isEarlier = files.some((file) => isOfOtherWeights(join(directory, file), bundled));
  return {
    shows,
    figures: isEarlier ? `**of earlier weights:** ${figures}` : figures,
    command: `\`${command}\``,
  };
}

function told(directory: string, name: string, files: readonly string[]) {
  const listed = LISTED[name];
  const json = files.find((file) => file.endsWith('.json'));
  if (listed) {
    const figures =
      listed.figures && json ? listed.figures(readJsonFile(join(directory, json), MAX_BYTES)) : '';
    return { shows: listed.shows, figures, command: listed.command };
  }
  const result = json ? readResult(join(directory, json)) : undefined;
  if (!result) throw new InputError(`${directory}: nothing says what ${files.join(', ')} shows.`);
  return { shows: result.question, figures: figuresOf(result), command: result.command };
}

/** Speedups over all prompts, and whether the machine was quiet. */
function figuresOf({ rows, runs }: ExperimentResult): string {
  const pooled = measuredRows(rows).filter(({ dataset }) => dataset === pooledName(rows));
  const several = (key: 'precision' | 'prompt_tokens') => new Set(rows.map((r) => r[key])).size > 1;
  const texts = pooled.map((row) => {
    const where = [
      ...(several('precision') ? [row.precision] : []),
      ...(several('prompt_tokens') ? [`${row.prompt_tokens} tokens`] : []),
    ].join(', ');
    return `${row.variant}${where && ` (${where})`} ${speedupText(row)}`;
  });
  const sorted = pooled.map((row, i) => ({ text: texts[i]!, speedup: row.speedup }));
  sorted.sort((a, b) => b.speedup - a.speedup);
  const shown =
    texts.length <= mostTold
      ? texts
      : [`best: ${sorted[0]!.text}`, `worst: ${sorted.at(-1)!.text}`];
  const isBusy = runs.some(({ environment }) => busyReason(environment) !== undefined);
  return [...(isBusy ? ['measured on a busy machine, not to be trusted'] : []), ...shown].join(
    '; ',
  );
}
