/** Bytes per element of every whole-byte safetensors dtype; a checkpoint may hold such buffers beside its weights. */
export const DTYPE_BYTES = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  F8_E5M2: 1,
  F8_E4M3: 1,
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  U32: 4,
  I32: 4,
  U64: 8,
  I64: 8,
} as const;

/** A dtype of the safetensors format; weights are `F32`, `F16` or `BF16`. */
export type TensorDtype = keyof typeof DTYPE_BYTES;
