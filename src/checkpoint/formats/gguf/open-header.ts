import { statSync } from 'node:fs';
import { InputError } from '../../../errors.js';
import { errorMessage } from '../../../files.js';
import { type GgufHeader, readGgufHeader } from './header.js';

/**
 * What was read last. Checkpoint and tokenizer of a model come out of one header, opened one after the other; the weak
 * reference lasts for as long as that takes (until the event loop goes on) and then frees the many strings of a vocabulary.
 */
let last: { readonly key: string; readonly header: WeakRef<GgufHeader> } | undefined;

/**
 * The header of a GGUF file, read anew only when it is another file than last time, or has changed since.
 * @throws InputError as `readGgufHeader`
 */
export function openGgufHeader(file: string): GgufHeader {
  const key = keyOf(file);
  const known = last?.key === key ? last.header.deref() : undefined;
  if (known !== undefined) return known;
  const header = readGgufHeader(file);
  last = { key, header: new WeakRef(header) };
  return header;
}

function keyOf(file: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(file);
    return JSON.stringify([file, size, mtimeMs, ino]);
  } catch (error) {
    throw new InputError(`Cannot read ${file}: ${errorMessage(error)}.`);
  }
}
