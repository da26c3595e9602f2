import type { Checkpoint } from './checkpoint.js';
import { openGguf } from './gguf/checkpoint.js';
import { isGgufFile } from './gguf/is-gguf.js';
import { openSafetensors } from './safetensors.js';

/**
 * Opens a checkpoint: a folder in the Hugging Face layout, or a GGUF file. Reads headers, no weights.
 * @param path what `resolveModel` gives
 * @throws InputError when a file is missing, damaged or not supported, or a shard name leaves the folder
 */
export function openCheckpoint(path: string): Checkpoint {
  return isGgufFile(path) ? openGguf(path) : openSafetensors(path);
}
