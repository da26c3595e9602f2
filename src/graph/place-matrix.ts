import type { MatrixLayout } from './layout.js';
import type { StoredLinear } from './linear.js';
import type { Matrix } from './matrices.js';
import type { WeightFile } from './weight-file.js';

/** Gives a matrix its place in the data file, in its layout: how many bytes everything has is known before it is written. */
export function placeMatrix(
  { name, parts, columns }: Matrix,
  layout: MatrixLayout,
  file: WeightFile,
): StoredLinear {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const floats = (count: number) => file.place(count * Float32Array.BYTES_PER_ELEMENT);
  const bias = () => (parts.some((part) => part.bias !== null) ? floats(rows) : null);
  const common = { name, rows, columns };
  switch (layout.form) {
    case 'floats':
      return { ...common, form: 'floats', weight: floats(rows * columns), bias: bias() };
    case 'channels':
      return {
        ...{ ...common, form: 'channels' },
        ...{ weight: file.place(rows * columns), scales: floats(rows), bias: bias() },
      };
    case 'blocks': {
      const { precision, block, offsets } = layout;
      const blocks = rows * Math.ceil(columns / block);
      return {
        ...{ ...common, form: 'blocks', precision, block },
        packed: file.place(blocks * (precision === 'int8' ? block : block / 2)),
        scales: floats(blocks),
        offsets: offsets ? floats(blocks) : null,
        bias: bias(),
      };
    }
  }
}
