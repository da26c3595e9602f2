import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { ExternalRange } from './builder.js';

/** Tensors start at multiples of this, so that the runtime can map them instead of copying. */
const alignment = 4096;

/** The external data file of a compiled model, written front to back. */
export class WeightFile {
  private readonly descriptor: number;
  private position = 0;

  constructor(private readonly path: string) {
    this.descriptor = openSync(path, 'wx');
  }

  /** Begins a tensor; its bytes are given to `write` piece by piece. */
  begin(): { write(piece: ArrayBufferView): void; end(): ExternalRange } {
    const padding = (alignment - (this.position % alignment)) % alignment;
    if (padding > 0) this.append(new Uint8Array(padding));
    const offset = this.position;
    return {
      write: (piece) =>
        this.append(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)),
      end: () => ({ file: basename(this.path), offset, length: this.position - offset }),
    };
  }

  /** Writes a whole tensor. */
  tensor(data: ArrayBufferView): ExternalRange {
    const writing = this.begin();
    writing.write(data);
    return writing.end();
  }

  /** Flushes to disk and closes. */
  close(): void {
    try {
      fsyncSync(this.descriptor);
    } finally {
      closeSync(this.descriptor);
    }
  }

  private append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    this.position += bytes.length;
  }
}
