import { isAbsolute, relative } from 'node:path';
import { modelTensors } from '../checkpoint/model-tensors.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { inspectTokenizer } from '../checkpoint/tokenizer.js';
import { parameterCount } from '../graph/parameters.js';
import { precisions } from '../graph/quantise.js';
import { compiledBytes, kvCacheBytes } from '../graph/size.js';
import type { ModelDocument } from '../reporting/model-document.js';
import { obtainWithProgress } from './download.js';

/**
 * What a checkpoint's files say of the model, without loading it.
 * @throws InputError when it is not there, damaged or of another architecture.
 */
export async function inspectModel(ref: string, quiet: boolean): Promise<ModelDocument> {
  const directory = await obtainWithProgress(ref, quiet);
  const checkpoint = openCheckpoint(directory);
  // Refuses a checkpoint whose tensors are not those of its architecture.
  modelTensors(checkpoint);
  const { config } = checkpoint;
  const tokenizer = inspectTokenizer(directory);
  const tensors = [...checkpoint.tensors.values()];
  const [fp32, int8, int4] = precisions.map((precision) => compiledBytes(checkpoint, precision));
  return {
    model: ref,
    directory: fromHere(directory),
    architecture: config.modelType,
    layers: config.layers,
    sublayers: 2 * config.layers,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    heads: config.heads,
    kv_heads: config.kvHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabSize,
    context_length: config.contextLength,
    sliding_window: config.slidingWindow,
    tied_embeddings: config.tiedEmbeddings,
    eos_token_ids: config.eosTokenIds,
    parameters: parameterCount(config),
    stored_bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    stored_dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
    bytes: { fp32, int8, int4 },
    kv_cache_bytes: kvCacheBytes(config),
    tokenizer: tokenizer !== null,
    chat_template: tokenizer?.hasChatTemplate ?? false,
  };
}

/** A folder below the working directory by its path from there, which says nothing of the machine; others whole. */
function fromHere(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? directory : path;
}
