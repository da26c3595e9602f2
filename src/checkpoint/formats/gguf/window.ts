import { readSync } from 'node:fs';
import { InputError } from '../../../errors.js';

const FIRST_WINDOW_BYTES = 2 ** 20;
const MAX_HEADER_BYTES = 2 ** 28;
const MAX_STRING_BYTES = 2 ** 24;
const SHOWN_NAME_LENGTH = 80;

// Without ignoreBOM a token that starts with U+FEFF would lose it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the values of a GGUF header one after the other, through a window on the start of the file that doubles when
 * it runs out: the tensor data of a large file is never read.
 */
export class HeaderWindow {
  /** What is being read, for the messages of faults. */
  field = 'the magic';
  private window = Buffer.alloc(0);
  private at = 0;

  constructor(
    private readonly fd: number,
    private readonly file: string,
    private readonly fileBytes: number,
    private readonly maxBytes = MAX_HEADER_BYTES,
  ) {}

  /** The offset in the file of the next value. */
  get position(): number {
    return this.at;
  }

  /** The bytes of the file that are not read yet. */
  get bytesLeft(): number {
    return this.fileBytes - this.at;
  }

  u8 = (): number => this.take(1).readUInt8();
  i8 = (): number => this.take(1).readInt8();
  u16 = (): number => this.take(2).readUInt16LE();
  i16 = (): number => this.take(2).readInt16LE();
  u32 = (): number => this.take(4).readUInt32LE();
  i32 = (): number => this.take(4).readInt32LE();
  f32 = (): number => this.take(4).readFloatLE();
  f64 = (): number => this.take(8).readDoubleLE();
  u64 = (): number => this.safe(this.take(8).readBigUInt64LE());
  i64 = (): number => this.safe(this.take(8).readBigInt64LE());

  bool = (): boolean => {
    const byte = this.u8();
    if (byte > 1) throw this.fault(`is a boolean stored as ${byte}, not as 0 or 1`);
    return byte === 1;
  };

  string = (): string => {
    const length = this.u64();
    if (length > MAX_STRING_BYTES)
      throw this.fault(
        `holds a string of ${length} bytes, more than the limit of ${MAX_STRING_BYTES}`,
      );
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.fault('holds a string that is not UTF-8');
    }
  };

  /** The error for a fault of the current field, to be thrown. */
  fault(problem: string, advice = 'the file is damaged or not a GGUF file'): InputError {
    return new InputError(`${this.file}: ${this.field} ${problem}; ${advice}.`);
  }

  private take(length: number): Buffer {
    const begin = this.at;
    const end = begin + length;
    if (end > this.fileBytes)
      throw new InputError(
        `${this.file} is truncated: ${this.field} needs the bytes up to ${end} but the file has ${this.fileBytes}; download it again.`,
      );
    if (end > this.maxBytes)
      throw this.fault(`takes the header past the limit of ${this.maxBytes} bytes`);
    if (end > this.window.length) this.grow(end);
    this.at = end;
    return this.window.subarray(begin, end);
  }

  private grow(needed: number): void {
    let length = Math.max(this.window.length, FIRST_WINDOW_BYTES / 2) * 2;
    while (length < needed) length *= 2;
    const grown = Buffer.alloc(Math.min(length, this.fileBytes, this.maxBytes));
    let filled = this.window.copy(grown);
    while (filled < grown.length) {
      const read = readSync(this.fd, grown, filled, grown.length - filled, filled);
      if (read === 0)
        throw new InputError(`${this.file} became shorter while it was read; try again.`);
      filled += read;
    }
    this.window = grown;
  }

  private safe(value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw this.fault(`holds the 64-bit number ${value}, beyond 2^53`);
    return number;
  }
}

/** A key or name of the file in quotes, cut and escaped so that a damaged one stays on one line of a message. */
export function quoted(name: string): string {
  const shown = name.length > SHOWN_NAME_LENGTH ? `${name.slice(0, SHOWN_NAME_LENGTH)}…` : name;
  return JSON.stringify(shown);
}
