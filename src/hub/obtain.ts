import { locateModel, resolveModel } from '../checkpoint/resolve.js';
import type { PullOptions } from './client.js';
import { isOffline } from './environment.js';
import { UnreachableError } from './refusal.js';

/**
 * Turns a model reference into a path as `resolveModel` does, and downloads a Hub id that is not in the cache, or not whole,
 * unless HF_HUB_OFFLINE forbids it.
 * @throws InputError as `resolveModel` and `pullModel` do
 */
export async function obtainModel(ref: string, options: PullOptions = {}): Promise<string> {
  const { missing } = await locateModel(ref);
  if (missing === null || isOffline()) return resolveModel(ref);
  // The library of the Hub is not loaded for models that are here.
  const { pullModel } = await import('./pull.js');
  try {
    return (await pullModel(missing, options)).path;
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    // Whoever mistypes a folder should not look for the fault in the network.
    throw new UnreachableError(
      `The model "${ref}" is neither a folder here nor in the Hugging Face cache, and cannot be downloaded: ${error.message}`,
    );
  }
}
