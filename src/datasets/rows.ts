import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { nesting } from '../json-file.js';

const GIB = 1 << 30;
const MIB = 1 << 20;
const NEWLINE = 10;
const MAX_NESTING = 32;
const PARQUET = Buffer.from('PAR1');
const GZIP = Buffer.from([0x1f, 0x8b]);

/** Limits of a JSONL file; larger ones are refused. */
export const ROW_LIMITS = { fileBytes: GIB, lineBytes: 16 * MIB, rows: 1_000_000 };

/** What a file is read as, for the sentences that refuse another. */
export interface FileForm {
  /** What it should have, as the end of a sentence. */
  readonly wanted: string;
  /** Whether a beginning `[` can only be a JSON array. */
  readonly refusesArray: boolean;
}

const JSONL: FileForm = { wanted: 'a dataset has one JSON object per line', refusesArray: true };

/** One object of a JSONL file, or what a line of another file has as fields. */
export interface Row {
  /** Line number, from 1. */
  readonly line: number;
  readonly fields: ReadonlyMap<string, unknown>;
}

/**
 * Reads a JSONL file (UTF-8, one object a line, blank lines skipped) a piece at a time, so that memory holds one line.
 * @param onBytes sees every byte of the file in order (to hash what was read, not what lies there a moment later)
 * @throws InputError naming file and line: unreadable, above a limit, not UTF-8, not JSON, not an object
 */
export function* readRows(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
  limits = ROW_LIMITS,
): Generator<Row> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  let rows = 0;
  for (const bytes of readLines(path, onBytes, limits, JSONL)) {
    line++;
    const fields = parseRow(bytes, decoder, `${path}, line ${line}`);
    if (fields === undefined) continue;
    if (++rows > limits.rows)
      throw new InputError(`${path} has more than ${limits.rows} rows; split it.`);
    yield { line, fields };
  }
}

/** One line as a map of its own fields, undefined when blank. A map, as a field may be called `__proto__`. */
function parseRow(
  bytes: Buffer,
  decoder: InstanceType<typeof TextDecoder>,
  where: string,
): Map<string, unknown> | undefined {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    if (text.trim() === '') return undefined;
    if (nesting(text) > MAX_NESTING)
      throw new InputError(`${where}: JSON nested deeper than ${MAX_NESTING} levels.`);
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${where}: not a line of JSON in UTF-8 (${errorMessage(error)}); a dataset has one JSON object per line.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(
      `${where}: not a JSON object; write {"prompt": "..."} or a benchmark's row.`,
    );
  return new Map(Object.entries(value));
}

/**
 * The lines of a file, without the newline, a piece at a time.
 * @param onBytes sees every byte of the file in order
 * @throws InputError when it is unreadable, above a limit, or plainly of another form
 */
export function* readLines(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
  limits: typeof ROW_LIMITS,
  form: FileForm,
): Generator<Buffer> {
  const tooLarge = `${path} is larger than ${limits.fileBytes} bytes; split it.`;
  const fd = openFile(path, limits.fileBytes, tooLarge);
  try {
    const chunk = Buffer.alloc(MIB);
    /** The beginning of a line that goes on in the next piece. */
    let rest: Buffer[] = [];
    let total = 0;
    for (let line = 1; ; ) {
      const count = readChunk(fd, chunk, path);
      if (count === 0) break;
      total += count;
      if (total > limits.fileBytes) throw new InputError(tooLarge);
      const bytes = chunk.subarray(0, count);
      if (total === count) refuseOtherFormats(bytes, path, form);
      onBytes(bytes);
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        yield limited([...rest, bytes.subarray(from, to)], line++);
        rest = [];
        from = to + 1;
      }
      // A copy: the next piece is read into the same memory.
      if (from < count) rest.push(Buffer.from(bytes.subarray(from)));
      checkLength(rest, line);
    }
    if (rest.length > 0) yield Buffer.concat(rest);
  } finally {
    closeSync(fd);
  }

  function limited(pieces: readonly Buffer[], line: number): Buffer {
    checkLength(pieces, line);
    return Buffer.concat(pieces);
  }

  function checkLength(pieces: readonly Buffer[], line: number): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length > limits.lineBytes)
      throw new InputError(`${path}, line ${line}: longer than ${limits.lineBytes} bytes.`);
  }
}

/** Names the formats that datasets also come in; read as lines each would fail with a message that helps nobody. */
function refuseOtherFormats(start: Buffer, path: string, form: FileForm): void {
  const refuse = (what: string, remedy: string): never => {
    throw new InputError(`${path} is ${what}, but ${form.wanted}; ${remedy}.`);
  };
  if (start.subarray(0, PARQUET.length).equals(PARQUET))
    refuse(
      'a Parquet file',
      'convert it (with pandas: read_parquet(file).to_json("data.jsonl", orient="records", lines=True))',
    );
  if (start.subarray(0, GZIP.length).equals(GZIP)) refuse('compressed with gzip', 'gunzip it');
  if (form.refusesArray && /^\uFEFF?\s*\[/.test(start.subarray(0, 1024).toString()))
    refuse('a JSON array', "convert it (jq -c '.[]' data.json > data.jsonl)");
}

function openFile(path: string, maxBytes: number, tooLarge: string): number {
  try {
    const found = statSync(path);
    // A pipe would block for ever, a folder fails later with an obscure message.
    if (!found.isFile())
      throw new InputError(`${path} is not a file; name a JSONL, CSV or text file.`);
    if (found.size > maxBytes) throw new InputError(tooLarge);
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${path}: ${errorMessage(error)}.`);
  }
}

function readChunk(fd: number, chunk: Buffer, path: string): number {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${errorMessage(error)}.`);
  }
}
