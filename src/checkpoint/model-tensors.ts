import { InputError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import type { LayerPart } from './families/family.js';
import { fusedParts, type TensorRole, tensorName } from './families/tensor-names.js';
import { type ModelConfig, type Projection, projections } from './model-config.js';
import type { TensorInfo } from './tensor-info.js';
import { weightType } from './weight-type.js';

/** A linear projection y = W x + b; the weight is [outputs, inputs], the bias [outputs] or absent. */
export interface LinearTensors {
  readonly weight: TensorInfo;
  readonly bias: TensorInfo | null;
}

/** Tensors of one decoder layer: norms, null where the model has none, and projections, of the shapes that `shapesOf` gives. */
export type LayerTensors = Readonly<
  Record<Exclude<LayerPart, Projection>, TensorInfo | null> & Record<Projection, LinearTensors>
>;

/** All tensors that a model is made of, whatever the checkpoint calls them; each is stored, with the right shape and a float dtype. */
export interface ModelTensors {
  /** [vocabulary, H] */
  readonly embedding: TensorInfo;
  readonly layers: readonly LayerTensors[];
  /** RMSNorm before the head, [H]. */
  readonly finalNorm: TensorInfo;
  /** [vocabulary, H]; the same tensor as `embedding` when the two are tied. */
  readonly head: TensorInfo;
}

/**
 * Finds the tensors of the architecture in a checkpoint. Tied weights may be stored as the embedding or as the head; when both are
 * there, the first counts, as in transformers.
 * @throws InputError naming a tensor that is missing, its expected and found shape, or a bias that the model would not use
 */
export function modelTensors(checkpoint: Checkpoint): ModelTensors {
  const { config, tensors, names, directory } = checkpoint;
  const { hiddenSize, vocabSize } = config;
  const used = new Set<TensorInfo>();

  const need = (role: TensorRole, shape: readonly number[], ofShape = shape): TensorInfo => {
    const name = tensorName(names, role);
    const found = name === undefined ? undefined : tensors.get(name);
    if (found === undefined)
      throw new InputError(
        `${directory}: tensor "${name ?? role.part}" of shape [${ofShape}] is missing; the checkpoint does not fit its configuration.`,
      );
    if (String(found.shape) !== String(ofShape))
      throw new InputError(
        `${found.file}: tensor "${name}" has shape [${found.shape}], but the configuration asks for [${ofShape}].`,
      );
    weightType(found);
    used.add(found);
    return found;
  };
  const norm = (role: TensorRole, size: number): TensorInfo => {
    const found = need(role, [size]);
    return names.normsLessOne ? { ...found, lessOne: true } : found;
  };
  const outer = (part: 'embedding' | 'head', shape: readonly number[]) =>
    need({ part, kind: 'weight' }, shape);
  const shapes = shapesOf(config);
  /** A part's rows of the tensor that it is stored in. */
  const rowsOf = (part: Projection, layer: number, kind: 'weight' | 'bias'): TensorInfo => {
    const fused = fusedParts(names, part).filter(isProjection);
    const rows = (parts: readonly Projection[]) =>
      parts.reduce((sum, other) => sum + shapes[other][0], 0);
    const [, columns] = shapes[part];
    const shapeOf = (count: number) => (kind === 'bias' ? [count] : [count, columns]);
    const whole = need({ part, layer, kind }, shapeOf(rows([part])), shapeOf(rows(fused)));
    if (fused.length === 1) return whole;
    const rowBytes = whole.byteLength / rows(fused);
    return {
      ...whole,
      shape: shapeOf(rows([part])),
      offset: whole.offset + rows(fused.slice(0, fused.indexOf(part))) * rowBytes,
      byteLength: rows([part]) * rowBytes,
    };
  };
  const { norms, qkNorm, heads, kvHeads, headDim } = config;
  const before = norms !== 'after';
  const after = norms !== 'before';
  const layer = (index: number): LayerTensors => {
    const normOf = (part: LayerPart, has: boolean, size = hiddenSize) =>
      has ? norm({ part, layer: index, kind: 'weight' }, size) : null;
    const linear = (part: Projection): LinearTensors => ({
      weight: rowsOf(part, index, 'weight'),
      bias: config.biases[part] ? rowsOf(part, index, 'bias') : null,
    });
    const width = (of: number) => (qkNorm === 'width' ? of * headDim : headDim);
    return {
      attentionNorm: normOf('attentionNorm', before),
      ...{ q: linear('q'), k: linear('k'), v: linear('v'), o: linear('o') },
      qNorm: normOf('qNorm', qkNorm !== 'none', width(heads)),
      kNorm: normOf('kNorm', qkNorm !== 'none', width(kvHeads)),
      attentionOutNorm: normOf('attentionOutNorm', after),
      mlpNorm: normOf('mlpNorm', before),
      ...{ gate: linear('gate'), up: linear('up'), down: linear('down') },
      mlpOutNorm: normOf('mlpOutNorm', after),
    };
  };

  const overVocabulary = [vocabSize, hiddenSize];
  const headName = `${names.head}.weight`;
  const embeddingName = `${names.embedding}.weight`;
  const onlyHead = config.tiedEmbeddings && !tensors.has(embeddingName) && tensors.has(headName);
  const embedding = outer(onlyHead ? 'head' : 'embedding', overVocabulary);
  if (!config.tiedEmbeddings && !tensors.has(headName))
    throw new InputError(
      `${directory}: tensor "${headName}" of shape [${overVocabulary}] is missing though config.json does not set tie_word_embeddings; set it to true if head and embedding are one.`,
    );
  const found = {
    embedding,
    layers: Array.from({ length: config.layers }, (_, index) => layer(index)),
    finalNorm: norm({ part: 'finalNorm', kind: 'weight' }, hiddenSize),
    head: config.tiedEmbeddings ? embedding : outer('head', overVocabulary),
  };
  refuseUnusedBias(checkpoint, used);
  return found;
}

function isProjection(part: LayerPart): part is Projection {
  return (projections as readonly LayerPart[]).includes(part);
}

/** Shapes of the projections, [outputs, inputs]. */
function shapesOf(config: ModelConfig): Readonly<Record<Projection, readonly [number, number]>> {
  const { hiddenSize: H, intermediateSize: F, headDim } = config;
  const queries = config.heads * headDim;
  const keys = config.kvHeads * headDim;
  return {
    q: [queries, H],
    k: [keys, H],
    v: [keys, H],
    o: [H, queries],
    gate: [F, H],
    up: [F, H],
    down: [H, F],
  };
}

/** A bias left out would change every output, and nothing else would tell. */
function refuseUnusedBias(
  { tensors, config, names: { beside = [] } }: Checkpoint,
  used: ReadonlySet<TensorInfo>,
): void {
  const isBeside = (name: string) => beside.some((prefix) => name.startsWith(prefix));
  for (const tensor of tensors.values())
    if (tensor.name.endsWith('.bias') && !used.has(tensor) && !isBeside(tensor.name))
      throw new InputError(
        `${tensor.file}: tensor "${tensor.name}" is a bias, which a ${config.modelType} model of this configuration does not have, and without it the output would be wrong; check model_type and the bias flags of the configuration.`,
      );
}
