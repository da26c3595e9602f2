import { createHash } from 'node:crypto';

/** Hashes of arrays that were told apart before: a method has bridges of a million numbers and more, and is asked of again and again. */
const known = new WeakMap<ArrayBufferView, string>();

/** A text that is equal for equal values: JSON, arrays of numbers in it by their hash. */
export function identityText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    ArrayBuffer.isView(part) ? hashOf(part) : part,
  );
}

function hashOf(array: ArrayBufferView): string {
  const before = known.get(array);
  if (before !== undefined) return before;
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const hash = createHash('sha256').update(bytes).digest('hex');
  known.set(array, hash);
  return hash;
}
