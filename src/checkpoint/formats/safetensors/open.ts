import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../errors.js';
import { parseFields, readJsonFile } from '../../../json-file.js';
import { type Checkpoint, type CheckpointContents, createCheckpoint } from '../../checkpoint.js';
import { familyOf } from '../../families/index.js';
import type { TensorInfo } from '../../tensor-info.js';
import { readFolderConfig } from './config.js';
import { readSafetensorsHeader } from './header.js';

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
const MAX_INDEX_BYTES = 100_000_000;
const MAX_SHARDS = 4096;
/** A plain file name: no separator, no parent folder, no drive. A symlink under it is fine, the HF cache is made of them. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;

/**
 * Opens a checkpoint folder: reads config.json, generation_config.json and the headers of `model.safetensors` or of the
 * shards that `model.safetensors.index.json` names. Reads no weights.
 * @throws InputError when a file is missing, damaged or not supported, or a shard name leaves the folder
 */
export function openSafetensors(directory: string): Checkpoint {
  const config = readFolderConfig(directory);
  const { names } = familyOf(config);
  const { tensors, files } = openTensors(directory);
  return createCheckpoint({
    ...{ directory, config, names, tensors, identity: tensors },
    files: [...files, join(directory, 'config.json')],
  });
}

type Tensors = Pick<CheckpointContents, 'tensors' | 'files'>;

function openTensors(directory: string): Tensors {
  const single = join(directory, SINGLE_FILE);
  if (!existsSync(single)) return openShards(directory);
  const tensors = new Map(readSafetensorsHeader(single).map((tensor) => [tensor.name, tensor]));
  return { tensors, files: [single] };
}

function openShards(directory: string): Tensors {
  const indexFile = join(directory, INDEX_FILE);
  const json = readJsonFile(indexFile, MAX_INDEX_BYTES);
  if (json === undefined)
    throw new InputError(
      `${directory} has neither ${SINGLE_FILE} nor ${INDEX_FILE}; weights in .bin files must be converted to safetensors first.`,
    );
  const schema = z.object({ weight_map: z.record(z.string(), z.string()) });
  const weightMap = Object.entries(parseFields(schema, json, indexFile).weight_map);
  const shards = [...new Set(weightMap.map(([, shard]) => shard))].sort();
  if (shards.length === 0 || shards.length > MAX_SHARDS)
    throw new InputError(
      `${indexFile}: weight_map names ${shards.length} shards; 1 to ${MAX_SHARDS} can be read.`,
    );

  const tensors = new Map<string, TensorInfo>();
  for (const shard of shards) {
    if (!SHARD_NAME.test(shard))
      throw new InputError(
        `${indexFile}: weight_map names the shard "${shard}", which is not a plain .safetensors file name.`,
      );
    const path = join(directory, shard);
    if (!existsSync(path))
      throw new InputError(
        `${path} is missing though ${INDEX_FILE} names it; download the whole checkpoint.`,
      );
    for (const tensor of readSafetensorsHeader(path)) {
      const other = tensors.get(tensor.name);
      if (other !== undefined)
        throw new InputError(
          `Tensor "${tensor.name}" is stored twice, in ${other.file} and in ${path}.`,
        );
      tensors.set(tensor.name, tensor);
    }
  }
  for (const [name, shard] of weightMap)
    if (tensors.get(name)?.file !== join(directory, shard))
      throw new InputError(
        `${indexFile}: weight_map places tensor "${name}" in ${shard}, which does not hold it.`,
      );
  return { tensors, files: shards.map((shard) => join(directory, shard)) };
}
