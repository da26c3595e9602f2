import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../errors.js';
import { parseFields, readJsonFile } from '../../../json-file.js';
import { parseModelConfig, tokenIds } from '../../config.js';
import type { ModelConfig } from '../../model-config.js';

const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Reads config.json of a checkpoint folder; the eos ids of generation_config.json, where that file exists, are added.
 * @throws InputError as `parseModelConfig`, and when the folder has no config.json
 */
export function readFolderConfig(directory: string): ModelConfig {
  const file = join(directory, 'config.json');
  const json = readJsonFile(file, MAX_CONFIG_BYTES);
  if (json === undefined)
    throw new InputError(
      `${directory} has no config.json; give a folder in the Hugging Face layout.`,
    );
  const config = parseModelConfig(json, file);

  const generationFile = join(directory, 'generation_config.json');
  const generationJson = readJsonFile(generationFile, MAX_CONFIG_BYTES);
  if (generationJson === undefined) return config;
  const schema = z.object({ eos_token_id: tokenIds.default(null) });
  const more = [parseFields(schema, generationJson, generationFile).eos_token_id ?? []].flat();
  const outside = more.find((id) => id >= config.vocabSize);
  if (outside !== undefined)
    throw new InputError(
      `${generationFile}: eos_token_id ${outside} is outside the vocabulary of ${config.vocabSize}.`,
    );
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...more])] };
}
