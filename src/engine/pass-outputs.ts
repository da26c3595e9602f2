import { Tensor } from 'onnxruntime-node';

/** Parts one after the other; a single one as it is. */
export function joined<T extends Float32Array | Int32Array>(
  parts: readonly T[],
  Values: new (length: number) => T,
): T {
  if (parts.length === 1) return parts[0]!;
  const all = new Values(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The numbers of an output; never missing, unless the graph is another than expected. */
export function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new TypeError('the graph returned no float tensor');
  return tensor.data;
}

export function integers(tensor: Tensor | undefined): Int32Array {
  if (!(tensor?.data instanceof Int32Array))
    throw new TypeError('the graph returned no integer tensor');
  return tensor.data;
}

/** The first row of an output, a view. */
export function firstRow(output: Tensor | undefined): Tensor {
  if (output?.type === 'float32') {
    const rows = floats(output);
    return new Tensor('float32', rows.subarray(0, rows.length / output.dims[0]!), [
      1,
      ...output.dims.slice(1),
    ]);
  }
  return new Tensor('int32', integers(output).subarray(0, 1), [1]);
}
