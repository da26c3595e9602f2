import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { resolveModel } from '../checkpoint/resolve.js';
import { loadTokenizer, type TextTokenizer } from '../checkpoint/tokenizer.js';
import { type CompileProgress, compileModel } from '../graph/compile.js';
import type { Precision } from '../graph/quantise.js';
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
 * Loads a model by reference (`demo`, a folder in the Hugging Face layout, or a Hub id), compiling it when it is met
 * for the first time. Close it after use.
 * @throws InputError when the reference, a file of the checkpoint or an option does not fit.
 */
export async function loadModel(reference: string, options: LoadOptions = {}): Promise<Model> {
  const directory = await resolveModel(reference);
  const checkpoint = openCheckpoint(directory);
  const tokenizer = loadTokenizer(directory);
  const compiled = await compileModel(
    checkpoint,
    options.precision ?? 'int8',
    options.onProgress ? { onProgress: options.onProgress } : {},
  );
  const { threads = physicalCores(), device = 'cpu' } = options;
  const engine = await Engine.load(compiled, { threads, device });
  return { reference, directory, engine, tokenizer, close: () => engine.close() };
}
