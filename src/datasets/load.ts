import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { InputError } from '../errors.js';
import { benchmarkAdvice, pulledBenchmark } from './benchmarks.js';
import type { Dataset, Prompt, Split } from './dataset.js';
import { recogniseFormat, toPrompt } from './format.js';
import { type Row, readRows } from './rows.js';
import { datasetsDirectory, readFormats, readTask, type Task } from './task.js';
import { PROMPT_COLUMN, readCsv, readText } from './text.js';

/** The bundled texts to be continued, in the order in which groups take turns. */
export const BUNDLED = ['stories', 'help', 'code', 'math'] as const;
/** The bundled instructions, for chat models. */
export const CHAT = 'chat';
/** All bundled datasets. */
export const NAMED = [...BUNDLED, CHAT] as const;
/** Bundled groups: this split of all bundled texts to be continued. */
export const SPLITS = ['calibration', 'heldout'] as const satisfies readonly Split[];

/**
 * Loads the prompts that a `--dataset` reference names.
 * @param ref a bundled dataset (`stories`, with a split `stories:calibration`), a bundled group (`calibration`,
 *   `heldout`: that split of all but the chat one, interleaved), or the path of a file: JSONL in our own form (`prompt`) or
 *   a known one, `.csv` with a column `prompt` or another (`file.csv#column`), `.txt` with a prompt a line. A bundled
 *   name goes before a file of that name: write `./stories` for the file. A benchmark that was pulled (`humaneval`), unless
 *   there is a file of that name.
 * @param options.split of a bundled dataset named without one; default `heldout`
 * @throws InputError when there is no such dataset or file, or naming the file's faulty line
 */
export function loadDataset(ref: string, options: { split?: Split } = {}): Dataset {
  const group = SPLITS.find((split) => split === ref);
  if (group) return loadGroup(group);
  const [name, ...rest] = ref.split(':');
  if (NAMED.some((bundled) => bundled === name))
    return loadBundled(
      name,
      rest.length > 0 ? parseSplit(rest.join(':'), ref) : (options.split ?? 'heldout'),
    );
  const { path, column } = parsePath(ref);
  const pulled = existsSync(path) ? undefined : pulledBenchmark(ref);
  if (pulled !== undefined) return { ...readFile(pulled), split: null };
  if (!existsSync(path))
    throw new InputError(
      benchmarkAdvice(ref) ??
        `There is no dataset or file "${ref}"; name one of ${[...NAMED, ...SPLITS].join(', ')} or a JSONL, CSV or text file.`,
    );
  return { ...readFile(path, column), split: null };
}

/** One split of a bundled dataset. */
export function loadBundled(name: string, split: Split): Dataset {
  const task = readTask(join(name, 'task.yaml'));
  if (!task.splits) throw new InputError(`The task file of "${name}" names no splits.`);
  const file = join(datasetsDirectory(), name, task.splits[split]);
  return { ...readPrompts(file, name, () => task), split };
}

/** One split of all bundled texts to be continued, interleaved so that any leading part of it is balanced. */
export function loadGroup(split: Split): Dataset {
  const members = BUNDLED.map((name) => loadBundled(name, split));
  const hash = createHash('sha256');
  for (const member of members) hash.update(member.hash);
  const longest = Math.max(...members.map((member) => member.prompts.length));
  return {
    name: split,
    split,
    version: Math.max(...members.map((member) => member.version)),
    hash: hash.digest('hex'),
    prompts: Array.from({ length: longest }, (_, i) =>
      members.flatMap((member) => member.prompts.slice(i, i + 1)),
    ).flat(),
  };
}

/** A path, and the column that follows a CSV file's after `#`, unless that is a file of its own. */
function parsePath(ref: string): { path: string; column?: string } {
  const found = existsSync(ref) ? null : /^(.*?\.csv)#(.*)$/is.exec(ref);
  return found ? { path: found[1], column: found[2] } : { path: ref };
}

function readFile(path: string, column = PROMPT_COLUMN): Omit<Dataset, 'split'> {
  const extension = extname(path);
  const name = basename(path, extension);
  switch (extension.toLowerCase()) {
    case '.csv':
      return readPrompts(
        path,
        // Columns of one file are different datasets, to be told apart where results are pooled by name.
        column === PROMPT_COLUMN ? name : `${name}#${column}`,
        () => ownForm(`CSV, column ${JSON.stringify(column)}`),
        (onBytes) => readCsv(path, onBytes, column),
      );
    case '.txt':
      return readPrompts(
        path,
        name,
        () => ownForm('text, a prompt a line'),
        (onBytes) => readText(path, onBytes),
      );
    default:
      return readJsonl(path, name);
  }
}

/** The task of our own form; the same bytes read in another way are another dataset, so the way goes into the hash. */
function ownForm(way: string): Task {
  const task = readTask(join('tasks', 'prompt.yaml'));
  return { ...task, source: `${task.source}\n# ${way}\n` };
}

function readJsonl(path: string, name: string): Omit<Dataset, 'split'> {
  const formats = readFormats();
  return readPrompts(path, name, (first) => {
    const format = recogniseFormat(formats, first);
    if (format) return format;
    const known = formats.map((task) => `${task.name} (${task.fields.join(', ')})`).join('; ');
    throw new InputError(
      `${path}, line ${first.line}: no known set of fields; known are: ${known}.`,
    );
  });
}

function readPrompts(
  file: string,
  name: string,
  taskFor: (first: Row) => Task,
  rows: (onBytes: (bytes: Uint8Array) => void) => Iterable<Row> = (onBytes) =>
    readRows(file, onBytes),
): Omit<Dataset, 'split'> {
  const bytes = createHash('sha256');
  const read: Prompt[] = [];
  const usesOfId = new Map<string, number>();
  let task: Task | undefined;
  for (const row of rows((chunk) => bytes.update(chunk))) {
    task ??= taskFor(row);
    const prompt = toPrompt(task, row, name, file);
    read.push({ ...prompt, id: uniqueId(prompt.id, usesOfId) });
  }
  if (!task) throw new InputError(`${file} has no prompts.`);
  const { parts } = task;
  const prompts = parts === null ? read : countedByPart(read, parts);
  // Two digests, not the two texts end to end: no byte can move from one to the other unseen.
  const hash = createHash('sha256')
    .update(createHash('sha256').update(task.source).digest())
    .update(bytes.digest())
    .digest('hex');
  return { name, version: task.version, hash, prompts };
}

/** Prompts under the names of their parts; a file of one part alone keeps its own name. */
function countedByPart(prompts: readonly Prompt[], parts: NonNullable<Task['parts']>): Prompt[] {
  const partOf = new Map(
    Object.entries(parts).flatMap(([part, categories]) =>
      categories.map((category) => [category, part] as const),
    ),
  );
  const named = prompts.map((prompt) => {
    const { category = '' } = prompt;
    return { prompt, part: partOf.get(category) ?? category };
  });
  if (new Set(named.map(({ part }) => part)).size === 1) return [...prompts];
  return named.map(({ prompt, part }) => ({ ...prompt, dataset: `${prompt.dataset}:${part}` }));
}

function parseSplit(text: string, ref: string): Split {
  const split = SPLITS.find((name) => name === text);
  if (split) return split;
  throw new InputError(`Dataset "${ref}": "${text}" is no split; use ${SPLITS.join(' or ')}.`);
}

/** Files in the wild repeat ids; results are kept by id, so the second `x` becomes `x#2`. */
function uniqueId(id: string, usesOfId: Map<string, number>): string {
  let uses = (usesOfId.get(id) ?? 0) + 1;
  let candidate = uses === 1 ? id : `${id}#${uses}`;
  while (candidate !== id && usesOfId.has(candidate)) candidate = `${id}#${++uses}`;
  usesOfId.set(id, uses);
  if (candidate !== id) usesOfId.set(candidate, 1);
  return candidate;
}
