import { type ExternalRange, elementType, type Initializers, type Nodes } from './builder.js';

/** A matrix product y = x W^T (+ b), W [rows, columns] as checkpoints store it, with its weights in the data file. */
export type StoredLinear = {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly bias: ExternalRange | null;
} & (
  | { readonly form: 'floats'; readonly weight: ExternalRange }
  | {
      readonly form: 'channels';
      /** [columns, rows], signed. */
      readonly weight: ExternalRange;
      /** [rows] */
      readonly scales: ExternalRange;
    }
  | {
      readonly form: 'blocks';
      readonly precision: 'int8' | 'int4';
      /** Columns that share a scale. */
      readonly block: number;
      readonly packed: ExternalRange;
      readonly scales: ExternalRange;
      /** [rows, blocks], added to every weight of a block; see kept-blocks.ts. */
      readonly offsets: ExternalRange | null;
    }
);

/** Weights in blocks. */
export type StoredBlocks = StoredLinear & { readonly form: 'blocks' };

/** A product of integers. */
export type StoredChannels = StoredLinear & { readonly form: 'channels' };

/** Weights whose rows lie one after the other, so that single ones can be looked up. */
export type StoredRows = Exclude<StoredLinear, StoredChannels>;

/**
 * Adds the product of x [S, columns] with the stored weights; returns the name of the result [S, rows]. Offsets of blocks take part
 * as [S, blocks] sums of x times their transpose.
 */
export function addLinear(
  nodes: Nodes,
  shared: Initializers,
  stored: StoredLinear,
  x: string,
  label: string,
): string {
  const { name, rows, columns } = stored;
  const bias = stored.bias
    ? shared.external(`${name}.bias`, elementType.float, [rows], stored.bias)
    : null;
  if (stored.form === 'channels') return addIntegerProduct(nodes, shared, stored, x, label, bias);
  if (stored.form === 'floats') {
    const weight = shared.external(name, elementType.float, [rows, columns], stored.weight);
    const product = nodes.add('FusedMatMul', label, [x, weight], { transB: { int: 1 } });
    return bias ? nodes.add('Add', `${label}_bias`, [product, bias]) : product;
  }
  const bits = stored.precision === 'int8' ? 8 : 4;
  const { block } = stored;
  const blocks = Math.ceil(columns / block);
  const [packed, scales] = blockTensors(shared, stored);
  const product = nodes.add(
    'MatMulNBits',
    stored.offsets ? `${label}_scaled` : label,
    bias ? [x, packed, scales, '', '', bias] : [x, packed, scales],
    {
      K: { int: columns },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: block },
      accuracy_level: { int: 4 },
    },
  );
  if (!stored.offsets) return product;
  const offsets = shared.external(
    `${name}.offsets`,
    elementType.float,
    [rows, blocks],
    stored.offsets,
  );
  const inBlocks = nodes.add('Reshape', `${label}_blocks`, [
    x,
    shared.int64(`int64:-1,${blocks},${block}`, [-1, blocks, block]),
  ]);
  const sums = nodes.add('ReduceSum', `${label}_sums`, [inBlocks, shared.int64('int64:2', [2])], {
    keepdims: { int: 0 },
  });
  // One operator for product and sum: each of them costs microseconds, in 4 products a layer.
  return nodes.add('Gemm', label, [sums, offsets, product], { transB: { int: 1 } });
}

/** The tensors of weights in blocks, as products take them: bytes and scales. */
export function blockTensors(
  shared: Initializers,
  stored: StoredBlocks,
): [packed: string, scales: string] {
  const { name, rows, columns, block } = stored;
  const blocks = Math.ceil(columns / block);
  const bytes = stored.precision === 'int8' ? block : block / 2;
  return [
    shared.external(`${name}.packed`, elementType.uint8, [rows, blocks, bytes], stored.packed),
    shared.external(`${name}.scales`, elementType.float, [rows * blocks], stored.scales),
  ];
}

/**
 * Rows of normed, rotated states are nearly normal with mean square 1, whatever the token: the step of 8 bits that loses least of
 * a normal value reaches to 4 (Max 1960, "Quantizing for minimum distortion", extended to 256 levels), and is the same for all.
 */
const STEP = 4 / 127;

/**
 * A product of integers, exact and therefore the same bits for a row alone and for one among many. What x loses by rounding is
 * x's alone: no scale is worked out from it.
 */
function addIntegerProduct(
  nodes: Nodes,
  shared: Initializers,
  stored: StoredChannels,
  x: string,
  label: string,
  bias: string | null,
): string {
  const { name, rows, columns } = stored;
  const weight = shared.external(name, elementType.int8, [columns, rows], stored.weight);
  const scales = shared.external(`${name}.scales`, elementType.float, [rows], stored.scales);
  const step = shared.inline('state_step', elementType.float, [], Float32Array.of(STEP));
  const zero = shared.inline('state_zero', elementType.uint8, [], Uint8Array.of(128));
  const rounded = nodes.add('QuantizeLinear', `${label}_rounded`, [x, step, zero]);
  const inputs = [rounded, weight, step, scales, zero];
  return nodes.add('MatMulIntegerToFloat', label, bias ? [...inputs, '', bias] : inputs);
}

/**
 * Adds the look-up of rows of the stored weights by token id: embeddings, out of the same stored bytes that the head multiplies
 * with when the two are tied. Returns the name of the result [S, columns], which is the label.
 * @param prefix of the initializers' names.
 */
export function addRows(
  nodes: Nodes,
  shared: Initializers,
  stored: StoredRows,
  ids: string,
  prefix: string,
  label: string,
): string {
  const { rows, columns } = stored;
  if (stored.form === 'floats') {
    const table = shared.external(prefix, elementType.float, [rows, columns], stored.weight);
    return nodes.add('Gather', label, [table, ids], { axis: { int: 0 } });
  }
  const bits = stored.precision === 'int8' ? 8 : 4;
  const table = shared.external(
    `${prefix}.packed`,
    elementType.uint8,
    [rows, (columns * bits) / 8],
    stored.packed,
  );
  const scales = shared.external(
    `${prefix}.scales`,
    elementType.float,
    [rows, columns / stored.block],
    stored.scales,
  );
  const scaled = nodes.add(
    'GatherBlockQuantized',
    stored.offsets ? `${label}_scaled` : label,
    [table, ids, scales],
    {
      gather_axis: { int: 0 },
      quantize_axis: { int: 1 },
      block_size: { int: stored.block },
      bits: { int: bits },
    },
  );
  if (!stored.offsets) return scaled;
  const blocks = columns / stored.block;
  const offsets = shared.external(
    `${prefix}.offsets`,
    elementType.float,
    [rows, blocks, 1],
    stored.offsets,
  );
  const added = nodes.add('Gather', `${label}_offsets`, [offsets, ids], { axis: { int: 0 } });
  const inBlocks = nodes.add('Reshape', `${label}_blocks`, [
    scaled,
    shared.int64(`int64:-1,${blocks},${stored.block}`, [-1, blocks, stored.block]),
  ]);
  const sum = nodes.add('Add', `${label}_sum`, [inBlocks, added]);
  return nodes.add('Reshape', label, [sum, shared.int64(`int64:-1,${columns}`, [-1, columns])]);
}
