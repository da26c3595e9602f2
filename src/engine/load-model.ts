import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { canonicalReference } from '../checkpoint/resolve.js';
import { loadTokenizer, type TextTokenizer } from '../checkpoint/tokenizer.js';
import { type CompileProgress, compileModel } from '../graph/compile.js';
import { recordName } from '../graph/compiled-names.js';
import type { Precision } from '../graph/quantise.js';
import type { PullOptions } from '../hub/client.js';
import { obtainModel } from '../hub/obtain.js';
import { physicalCores } from './cores.js';
import { Engine } from './engine.js';

/** Which model to load and how. */
export interface LoadOptions {
  /** Default `int8`. */
  readonly precision?: Precision;
  /** Default: physical cores. */
  readonly threads?: number;
  /** Execution provider; default `cpu`. */
  readonly device?: string;
  readonly onProgress?: CompileProgress;
  /** How a model that is not here is downloaded (not with HF_HUB_OFFLINE=1). */
  readonly download?: PullOptions;
}

/** A model that is ready to decode. */
export interface Model {
  /** The reference it was loaded by. */
  readonly reference: string;
  readonly directory: string;
  readonly engine: Engine;
  /** null when the checkpoint has no tokenizer.json: such a model runs on token ids. */
  readonly tokenizer: TextTokenizer | null;
  /** Frees the sessions. */
  close(): Promise<void>;
}

/**
 * Loads a model by reference (`demo`, a folder in the Hugging Face layout, a GGUF file, or a Hub id), downloading and compiling it
 * when it is met for the first time. Close it after use.
 * @throws InputError when the reference, a file of the checkpoint or an option does not fit.
 */
export async function loadModel(reference: string, options: LoadOptions = {}): Promise<Model> {
  const directory = await obtainModel(reference, options.download);
  const checkpoint = openCheckpoint(directory);
  const tokenizer = loadTokenizer(directory);
  const { precision = 'int8', threads = physicalCores(), device = 'cpu', onProgress } = options;
  const compiled = await compileModel(checkpoint, precision, {
    threads,
    ...(onProgress && { onProgress }),
  });
  recordName(compiled, await canonicalReference(reference));
  const engine = await Engine.load(compiled, { threads, device });
  return { reference, directory, engine, tokenizer, close: () => engine.close() };
}
