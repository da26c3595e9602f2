import type { Checkpoint } from './checkpoint.js';
import { formatOf } from './formats/index.js';
import type { ModelConfig } from './model-config.js';

/**
 * Opens a checkpoint of any format. Reads headers, no weights.
 * @param path what `resolveModel` gives
 * @throws InputError when a file is missing, damaged or not supported
 */
export function openCheckpoint(path: string): Checkpoint {
  return formatOf(path).open(path);
}

/**
 * Reads the configuration of a checkpoint alone; its weights need not be there.
 * @throws InputError when it is missing, damaged or not supported
 */
export function readModelConfig(path: string): ModelConfig {
  return formatOf(path).readConfig(path);
}
