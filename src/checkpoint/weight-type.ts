import { InputError } from '../errors.js';
import { type GgmlType, isGgmlType } from './gguf/ggml-types.js';
import type { TensorInfo } from './tensor-info.js';

/**
 * The type that a tensor's values are stored in, one of those that can be read as weights.
 * @throws InputError for the other dtypes of safetensors, integers mostly; the header of a GGUF file has none that is not read
 */
export function weightType({ name, dtype, file }: TensorInfo): GgmlType {
  if (isGgmlType(dtype)) return dtype;
  throw new InputError(
    `${file}: tensor "${name}" has dtype ${dtype}; weights must be F32, F16 or BF16 in safetensors (GGUF has more types).`,
  );
}
