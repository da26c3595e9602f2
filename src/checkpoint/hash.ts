import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { InputError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import {
  type LayerOptions,
  llamaLayers,
  type ModelConfig,
  type Projection,
} from './model-config.js';

const CHUNK_BYTES = 1 << 20;

/** Told after every chunk: bytes hashed so far, and in all. */
export type HashProgress = (doneBytes: number, totalBytes: number) => void;

/**
 * The identity of a model's function: SHA-256 over the configuration that shapes a forward pass and over every tensor
 * (name, dtype, shape, bytes) in the order of names. How the tensors are spread over files does not matter.
 * @returns lower-case hex
 * @throws InputError when a file became shorter since the checkpoint was opened
 */
export async function hashWeights(
  checkpoint: Checkpoint,
  progress?: HashProgress,
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(`${JSON.stringify(hashedFields(hashedConfig(checkpoint.config)))}\n`);
  const tensors = [...checkpoint.identity].sort(byName);
  const totalBytes = tensors.reduce((sum, [, tensor]) => sum + tensor.byteLength, 0);
  let doneBytes = 0;
  for (const [name, tensor] of tensors) {
    const { dtype, shape, file, offset, byteLength, interleavedHeads } = tensor;
    // dtype and shape give the number of bytes that follow, so no two sequences of tensors read the same.
    const order = interleavedHeads === undefined ? [] : [interleavedHeads];
    hash.update(`${JSON.stringify([name, dtype, shape, ...order])}\n`);
    const endBytes = doneBytes + byteLength;
    if (byteLength > 0)
      for await (const chunk of chunksOf(file, offset, byteLength)) {
        hash.update(chunk);
        doneBytes += chunk.length;
        progress?.(doneBytes, totalBytes);
      }
    if (doneBytes < endBytes)
      throw new InputError(`${file} became shorter while it was read; download it again.`);
  }
  return hash.digest('hex');
}

/** Bytes of a file: the next ones are read while those before are hashed. */
function chunksOf(file: string, offset: number, length: number): AsyncIterable<Buffer> {
  const end = offset + length - 1;
  return createReadStream(file, { start: offset, end, highWaterMark: CHUNK_BYTES });
}

/**
 * How a field of the configuration enters the hash. A field that is added must be `unlessDefault`, with the value that gives what
 * passes computed before there was such a field: then the hashes of models without it, in profiles and studies, stay.
 */
type Share<T> = 'always' | 'never' | { readonly unlessDefault: T };

/** The configuration as it was when hashes began: one flag for the biases of attention, one for those of the MLP. */
interface HashedConfig extends Omit<ModelConfig, 'biases'> {
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  /** Projections with a bias where not all of the sublayer have one; its flag is then false. */
  readonly partBiases: readonly Projection[];
}

const unlessLlama: { readonly [Option in keyof LayerOptions]: Share<LayerOptions[Option]> } = {
  norms: { unlessDefault: llamaLayers.norms },
  qkNorm: { unlessDefault: llamaLayers.qkNorm },
  activation: { unlessDefault: llamaLayers.activation },
  attentionScale: { unlessDefault: llamaLayers.attentionScale },
  attentionSoftCap: { unlessDefault: llamaLayers.attentionSoftCap },
  logitSoftCap: { unlessDefault: llamaLayers.logitSoftCap },
  embeddingScale: { unlessDefault: llamaLayers.embeddingScale },
  residualScale: { unlessDefault: llamaLayers.residualScale },
  logitScale: { unlessDefault: llamaLayers.logitScale },
  windowedLayers: { unlessDefault: llamaLayers.windowedLayers },
  windowedRope: { unlessDefault: llamaLayers.windowedRope },
  unrotatedLayers: { unlessDefault: llamaLayers.unrotatedLayers },
  rotaryDim: { unlessDefault: llamaLayers.rotaryDim },
};

const SHARES: { readonly [Field in keyof HashedConfig]-?: Share<HashedConfig[Field]> } = {
  modelType: 'always',
  hiddenSize: 'always',
  intermediateSize: 'always',
  layers: 'always',
  heads: 'always',
  kvHeads: 'always',
  headDim: 'always',
  vocabSize: 'always',
  rmsNormEps: 'always',
  ropeTheta: 'always',
  ropeScaling: 'always',
  attentionBias: 'always',
  mlpBias: 'always',
  partBiases: { unlessDefault: [] },
  tiedEmbeddings: 'always',
  slidingWindow: 'always',
  ...unlessLlama,
  // Where a sequence begins, ends or must stop does not change what a pass computes.
  contextLength: 'never',
  bosTokenId: 'never',
  eosTokenIds: 'never',
};

/** The configuration with its biases as hashes have them, which old profiles know models by. */
export function hashedConfig({ biases, ...config }: ModelConfig): HashedConfig {
  const attention = ['q', 'k', 'v', 'o'] as const;
  const mlp = ['gate', 'up', 'down'] as const;
  const all = (parts: readonly Projection[]) => parts.every((part) => biases[part]);
  const some = (parts: readonly Projection[]) =>
    all(parts) ? [] : parts.filter((part) => biases[part]);
  return {
    ...config,
    ...{ attentionBias: all(attention), mlpBias: all(mlp) },
    partBiases: [...some(attention), ...some(mlp)],
  };
}

/** Fields and values that enter, in the order of the fields' names. */
export function hashedFields(
  config: object,
  shares: Readonly<Record<string, Share<unknown>>> = SHARES,
): [string, unknown][] {
  const values: ReadonlyMap<string, unknown> = new Map(Object.entries(config));
  return Object.entries(shares)
    .filter(
      ([name, share]) =>
        share !== 'never' &&
        (share === 'always' ||
          JSON.stringify(values.get(name)) !== JSON.stringify(share.unlessDefault)),
    )
    .map(([name]): [string, unknown] => [name, values.get(name)])
    .sort(byName);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
