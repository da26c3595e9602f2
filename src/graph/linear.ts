import { type ExternalRange, elementType, type Initializers, type Nodes } from './builder.js';

/** A matrix product y = x W^T (+ b), W [rows, columns] as checkpoints store it, with its weights in the data file. */
export type StoredLinear = {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly bias: ExternalRange | null;
} & (
  | { readonly precision: 'fp32'; readonly weight: ExternalRange }
  | {
      readonly precision: 'int8' | 'int4';
      /** Columns that share a scale. */
      readonly block: number;
      readonly packed: ExternalRange;
      readonly scales: ExternalRange;
    }
);

/** Adds the product of x [S, columns] with the stored weights; returns the name of the result [S, rows]. */
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
  if (stored.precision === 'fp32') {
    const weight = shared.external(name, elementType.float, [rows, columns], stored.weight);
    const product = nodes.add('FusedMatMul', label, [x, weight], { transB: { int: 1 } });
    return bias ? nodes.add('Add', `${label}_bias`, [product, bias]) : product;
  }
  const bits = stored.precision === 'int8' ? 8 : 4;
  const { block } = stored;
  const blocks = Math.ceil(columns / block);
  const packed = shared.external(
    `${name}.packed`,
    elementType.uint8,
    [rows, blocks, (block * bits) / 8],
    stored.packed,
  );
  const scales = shared.external(
    `${name}.scales`,
    elementType.float,
    [rows * blocks],
    stored.scales,
  );
  return nodes.add(
    'MatMulNBits',
    label,
    bias ? [x, packed, scales, '', '', bias] : [x, packed, scales],
    {
      K: { int: columns },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: block },
      accuracy_level: { int: 4 },
    },
  );
}

/**
 * Adds the look-up of embedding rows by token id, out of the same stored bytes that the head multiplies with when the
 * two are tied. Returns the name of the result [S, columns].
 */
export function addEmbedding(
  nodes: Nodes,
  shared: Initializers,
  stored: StoredLinear,
  ids: string,
): string {
  const { rows, columns } = stored;
  if (stored.precision === 'fp32') {
    const table = shared.external('embedding', elementType.float, [rows, columns], stored.weight);
    return nodes.add('Gather', 'embedded', [table, ids], { axis: { int: 0 } });
  }
  const bits = stored.precision === 'int8' ? 8 : 4;
  const table = shared.external(
    'embedding.packed',
    elementType.uint8,
    [rows, (columns * bits) / 8],
    stored.packed,
  );
  const scales = shared.external(
    'embedding.scales',
    elementType.float,
    [rows, columns / stored.block],
    stored.scales,
  );
  return nodes.add('GatherBlockQuantized', 'embedded', [table, ids, scales], {
    gather_axis: { int: 0 },
    quantize_axis: { int: 1 },
    block_size: { int: stored.block },
    bits: { int: bits },
  });
}
