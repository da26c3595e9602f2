import { InputError } from '../errors.js';
import { type GgmlType, ggmlTypes, isGgmlType } from './ggml/types.js';
import type { TensorInfo } from './tensor-info.js';

/**
 * The type that a tensor's values are stored in, one of those that can be read as weights.
 * @throws InputError for others, integers mostly
 */
export function weightType({ name, dtype, file }: TensorInfo): GgmlType {
  if (isGgmlType(dtype)) return dtype;
  throw new InputError(
    `${file}: tensor "${name}" has dtype ${dtype}; weights must be of one of the types ${Object.keys(ggmlTypes).join(', ')}.`,
  );
}
