import { z } from 'zod';
import { FILE_FORMATS, fileNamesOf } from '../checkpoint/formats/index.js';
import { formatHubReference, type HubReference } from '../checkpoint/hub-reference.js';
import { chooseFrom } from '../checkpoint/hub-snapshot.js';
import { InputError } from '../errors.js';
import { parseFields } from '../json-file.js';
import type { HubFile } from './listing.js';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** What goes with weights: data only, never code or pickles. */
const BESIDE = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
];
/** The names that the reader of checkpoints takes. */
const SHARD = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;

/** What of a repository is to be downloaded. */
export interface ChosenFiles {
  readonly files: readonly HubFile[];
  /** One of the files, where it says which shards are wanted beside them. */
  readonly index: HubFile | null;
}

/**
 * The files that make a model: the file that the reference names; else config.json, safetensors and what belongs to them;
 * else the only file that is a checkpoint by itself.
 * @throws InputError when the repository has no model in a format that is read, or several such files
 */
export function chooseModelFiles(files: readonly HubFile[], hub: HubReference): ChosenFiles {
  const named = new Map(files.map((file) => [file.path, file]));
  const whole = files.map(({ path }) => path).filter((path) => fileNamesOf(path));
  const id = formatHubReference({ ...hub, file: null });
  if (hub.file !== null) {
    const file = named.get(hub.file);
    if (file !== undefined) return onlyFile(file, id);
    throw new InputError(
      whole.length === 0
        ? `${id} has no file ${hub.file}, nor any other ${FILE_FORMATS} file: give ${id} alone.`
        : `${id} has no file ${hub.file}: give one of ${chooseFrom(hub, whole)}.`,
    );
  }
  const weights = named.get(WEIGHTS);
  const index = weights === undefined ? named.get(INDEX) : undefined;
  const first = weights ?? index;
  if (first !== undefined) {
    if (!named.has('config.json'))
      throw new InputError(`${id} has weights but no config.json: it is no whole model.`);
    const beside = BESIDE.flatMap((name) => named.get(name) ?? []);
    return { files: [...beside, first], index: index ?? null };
  }
  if (whole.length > 1)
    throw new InputError(
      `${id} has ${whole.length} ${FILE_FORMATS} files: name one of them, as ${chooseFrom(hub, whole)}.`,
    );
  if (whole.length === 1) return onlyFile(named.get(whole[0])!, id);
  const pickles = files.some(({ path }) => /\.(bin|pt|pth|ckpt)$/.test(path));
  throw new InputError(
    `${id} has neither ${WEIGHTS} nor a ${FILE_FORMATS} file${pickles ? ', and pickles (.bin, .pt) are not read: look for a conversion to safetensors' : ''}.`,
  );
}

/**
 * The shards that an index names.
 * @param json content of the index
 * @throws InputError when it is no index, or names what the repository does not have
 */
export function chooseShards(json: unknown, files: readonly HubFile[], id: string): HubFile[] {
  const schema = z.object({ weight_map: z.record(z.string(), z.string()) });
  const { weight_map } = parseFields(schema, json, `${id}: ${INDEX}`);
  return [...new Set(Object.values(weight_map))].sort().map((shard) => {
    const file = files.find(({ path }) => path === shard);
    if (file !== undefined && SHARD.test(shard)) return file;
    throw new InputError(
      `${id}: ${INDEX} names ${JSON.stringify(shard)}, which the repository does not have as a .safetensors file beside it.`,
    );
  });
}

function onlyFile(file: HubFile, id: string): ChosenFiles {
  // Before gigabytes that could not be used.
  if (fileNamesOf(file.path)?.isPart(file.path))
    throw new InputError(
      `${id} has ${file.path} as a part of several; only ${FILE_FORMATS} files that are whole are read: choose another.`,
    );
  return { files: [file], index: null };
}
