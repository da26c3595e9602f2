/** Where a tensor lies and how it is stored. */
export interface TensorInfo {
  /** As the file has it. */
  readonly name: string;
  /** The file's name of the type of the values; `weightType` tells whether they can be read. */
  readonly dtype: string;
  /** Sizes of the dimensions, outermost first; row-major. */
  readonly shape: readonly number[];
  /** Path of the file. */
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /**
   * Heads whose rows lie interleaved: the two halves that are rotated together alternate (row 2 i + j of a head is row
   * j D/2 + i), as llama.cpp wants q and k. Absent: rows lie in Hugging Face's order.
   */
  readonly interleavedHeads?: number;
  /** Values are stored less 1. Absent: as they are. */
  readonly lessOne?: true;
}
