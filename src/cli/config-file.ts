import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { lilconfigSync } from 'lilconfig';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { METHODS } from '../decoding/method.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { precisions } from '../graph/quantise.js';
import { parseFields, parseJson } from '../json-file.js';
import { closest } from './did-you-mean.js';

/** Names in the folder of the work or of its project, the first that there is. None is ever run. */
const NAMES = [
  'sspec.config.json',
  'sspec.config.yaml',
  'sspec.config.yml',
  '.sspecrc',
  '.sspecrc.json',
  '.sspecrc.yaml',
  '.sspecrc.yml',
];
/** What the folder of a project has. */
const PROJECT_MARKS = ['package.json', '.git'];
/** Names in the user's own folder, where there is none of those. */
const OWN_NAMES = ['config.json', 'config.yaml', 'config.yml'];
const MAX_CHARACTERS = 1 << 16;

const text = z.string().min(1).max(10_000);

const fields = {
  model: text,
  precision: z.enum(precisions),
  threads: z.int().min(1).max(1024),
  device: text,
  offline: z.boolean(),
  profile: text,
  method: z.enum(METHODS),
  max_new_tokens: z.int().min(1),
  temperature: z.number().min(0),
  top_k: z.int().min(0),
  top_p: z.number().gt(0).max(1),
  min_p: z.number().min(0).max(1),
  coupling: z.enum(['gumbel', 'maximal']),
  seed: z.int(),
  storage: text,
};
const schema = z.strictObject(fields).partial();

/** What a configuration file may have: the flag of that name is what it stands in for. */
export type ConfigKey = keyof typeof fields;
export const CONFIG_KEYS = Object.keys(fields) as readonly string[] as readonly ConfigKey[];

/** Defaults for flags, and where they stand. */
export interface ConfigFile {
  readonly file: string;
  readonly values: Readonly<z.infer<typeof schema>>;
}

/**
 * Reads the configuration file that holds for a folder: the one in it, else in its project's folder (the nearest above that has
 * package.json or .git), else in the home folder, else the user's own in `$XDG_CONFIG_HOME/sspec` or `~/.config/sspec`. No other
 * folder above is looked into: it may be a stranger's. Paths in the file are relative to it.
 * @returns undefined where there is none
 * @throws InputError when it cannot be read, or naming the field that does not fit.
 */
export function readConfigFile(folder: string): ConfigFile | undefined {
  const own = join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'sspec');
  const at = resolve(folder);
  const found =
    search(at, NAMES) ??
    search(projectOf(at) ?? at, NAMES) ??
    search(homedir(), NAMES) ??
    search(own, OWN_NAMES);
  if (!found) return undefined;
  const file = relative(folder, found.file) || found.file;
  refuseUnknown(found.content, file);
  const values = parseFields(schema, found.content ?? {}, file);
  return { file, values: withPaths(values, folder, dirname(found.file)) };
}

/** The nearest folder, from this one up, that a project begins in. */
function projectOf(folder: string): string | undefined {
  if (PROJECT_MARKS.some((mark) => existsSync(join(folder, mark)))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : projectOf(above);
}

interface FoundFile {
  readonly file: string;
  readonly content: unknown;
}

function search(folder: string, searchPlaces: string[]): FoundFile | null {
  const load = (file: string, content: string): unknown => {
    if (content.length > MAX_CHARACTERS)
      throw new InputError(
        `${file} has ${content.length} characters; a configuration may have ${MAX_CHARACTERS}.`,
      );
    try {
      // JSON is YAML too, but for its tabs, and its own parser says better what is wrong.
      return file.endsWith('.json') ? parseJson(content) : parseYaml(content, { maxAliasCount: 0 });
    } catch (error) {
      const form = file.endsWith('.json') ? 'JSON' : 'YAML';
      throw new InputError(`${file} is not valid ${form} (${errorMessage(error).trim()}).`);
    }
  };
  const loaders = { '.json': load, '.yaml': load, '.yml': load, noExt: load };
  try {
    const options = { searchPlaces, stopDir: folder, loaders, ignoreEmptySearchPlaces: false };
    const found = lilconfigSync('sspec', options).search(folder);
    return found && { file: found.filepath, content: found.isEmpty ? {} : found.config };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read a configuration file (${errorMessage(error)}).`);
  }
}

function refuseUnknown(content: unknown, file: string): void {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return;
  const unknown = Object.keys(content).find((key) => !(key in fields));
  if (unknown === undefined) return;
  const meant = closest(unknown.replaceAll('-', '_'), CONFIG_KEYS);
  const hint =
    meant === undefined ? `; it may have ${CONFIG_KEYS.join(', ')}` : ` (did you mean "${meant}"?)`;
  throw new InputError(`${file}: "${unknown}" is nothing that can be configured${hint}.`);
}

/** Files as they are named from the folder of the work. A model is one where its name begins as paths do. */
function withPaths(
  values: ConfigFile['values'],
  folder: string,
  base: string,
): ConfigFile['values'] {
  const moved = (path: string) => {
    const place = resolve(base, path);
    const near = relative(folder, place);
    return near.startsWith('..') ? place : `./${near}`;
  };
  const { model, profile, storage } = values;
  return {
    ...values,
    ...(model !== undefined && /^\.{1,2}[\\/]/.test(model) && { model: moved(model) }),
    ...(profile !== undefined && { profile: moved(profile) }),
    ...(storage !== undefined && !storage.includes('://') && { storage: moved(storage) }),
  };
}
