/**
 * The inner loops of compiling as WebAssembly (kernels/kernels.as.ts beside src): several times as fast as in JavaScript, with the same bits
 * everywhere. What they work on is copied into a memory of their own; every thread has one.
 */
import { kernelsWasm } from './kernels_wasm.js';

interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  halves(from: number, count: number, to: number): void;
  multiply(row: number, factors: number, count: number): void;
  hadamard(values: number, count: number, first: number, piece: number): void;
  mix(values: number, scratch: number, matrix: number, m: number, piece: number): void;
  channels(values: number, rows: number, columns: number, scales: number, to: number): void;
  blocks(
    values: number,
    count: number,
    size: number,
    bits: number,
    scales: number,
    to: number,
  ): void;
  clippedBlocks(values: number, count: number, size: number, scales: number, to: number): void;
  gather(from: number, stride: number, rows: number, factors: number, to: number): void;
  scatter(from: number, rows: number, factors: number, to: number, stride: number): void;
  transpose(from: number, rows: number, columns: number, to: number): void;
}

/** As much of what every Node has as is used here; the names and types of the exports are those of the module's source. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Kernels };
};

const compiled = new WebAssembly.Module(Buffer.from(kernelsWasm, 'base64'));
export const kernels = new WebAssembly.Instance(compiled).exports;

const pageBytes = 1 << 16;
const alignment = 64;

/** Places in the kernels' memory, which the next one who asks for some may get again. */
export interface KernelRoom {
  /** The address of a place. */
  at(place: number): number;
  floats(place: number): Float32Array;
  doubles(place: number): Float64Array;
  words(place: number): Uint16Array;
  bytes(place: number): Int8Array;
}

/** Room for so many bytes each. */
export function kernelRoom(sizes: readonly number[]): KernelRoom {
  let end = alignment;
  const places = sizes.map((size) => {
    const at = end;
    end += Math.ceil(size / alignment) * alignment;
    return { at, size };
  });
  const { memory } = kernels;
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  const { buffer } = memory;
  return {
    at: (place) => places[place]!.at,
    floats: (place) => new Float32Array(buffer, places[place]!.at, places[place]!.size >> 2),
    doubles: (place) => new Float64Array(buffer, places[place]!.at, places[place]!.size >> 3),
    words: (place) => new Uint16Array(buffer, places[place]!.at, places[place]!.size >> 1),
    bytes: (place) => new Int8Array(buffer, places[place]!.at, places[place]!.size),
  };
}
