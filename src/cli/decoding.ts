import type { Method } from '../decoding/method.js';
import type { Model } from '../engine/load-model.js';
import { readProfile } from '../profile/profile.js';
import { checkExactness } from './exactness.js';
import { loadModelWithProgress, type ModelFlags } from './load.js';
import { type MethodFlags, resolveMethod } from './method.js';

/** A model that is loaded, and what to decode with. */
export interface Decoding {
  readonly model: Model;
  readonly method: Method;
  /** Passes of any length give the same bits; not asked of a method that does not depend on it, unless it was wanted. */
  readonly exact: boolean;
}

/**
 * Loads what the flags name, and tells what the user should know about it. The model is the caller's to close.
 * @param wantsExact whether passes agree matters for more than speculation.
 * @throws InputError for flags that do not fit each other or the model.
 */
export async function prepareDecoding(
  flags: ModelFlags & MethodFlags,
  notice: (text: string) => void,
  wantsExact = false,
): Promise<Decoding> {
  // A wrong file name should not wait for a large model to be loaded.
  const profile = flags.profile === undefined ? undefined : readProfile(flags.profile);
  const model = await loadModelWithProgress(flags, profile);
  try {
    const { method, warnings } = resolveMethod(flags, model.engine);
    // Speculation alone can differ.
    const isAsked = wantsExact || method.name !== 'autoregressive';
    const { exact, warnings: inexact } = isAsked
      ? await checkExactness(model.engine, flags.quiet)
      : { exact: true, warnings: [] };
    for (const warning of [...warnings, ...inexact]) notice(warning);
    return { model, method, exact };
  } catch (error) {
    await model.close();
    throw error;
  }
}
