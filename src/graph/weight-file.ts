import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { ExternalRange } from './builder.js';

/** Tensors start at multiples of this, so that the runtime can map them instead of copying. */
const alignment = 4096;

/** The external data file of a compiled model: places are given out front to back, and may be filled in any order. */
export class WeightFile {
  /** Of the open file, for {@link writeAt}. */
  readonly descriptor: number;
  private end = 0;

  constructor(private readonly path: string) {
    this.descriptor = openSync(path, 'wx');
  }

  /** Gives a tensor of so many bytes its place; until something is written there it is zeros. */
  place(length: number): ExternalRange {
    const offset = Math.ceil(this.end / alignment) * alignment;
    this.end = offset + length;
    return { file: basename(this.path), offset, length };
  }

  /** Places a tensor and writes it. */
  tensor(data: ArrayBufferView): ExternalRange {
    const range = this.place(data.byteLength);
    writeAt(this.descriptor, range.offset, data);
    return range;
  }

  /** Flushes to disk and closes. */
  close(): void {
    try {
      fsyncSync(this.descriptor);
    } finally {
      closeSync(this.descriptor);
    }
  }
}

/** Writes to an open file, whichever thread has opened it. */
export function writeAt(descriptor: number, position: number, data: ArrayBufferView): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; )
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}
