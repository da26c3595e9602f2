import { CsvError, parse } from 'csv-parse/sync';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { type FileForm, ROW_LIMITS, type Row, readLines } from './rows.js';

/** Limits of a CSV file, which is in memory as a whole; a larger one is better off as JSONL. */
export const CSV_LIMITS = { ...ROW_LIMITS, fileBytes: 64 << 20, columns: 1000 };

/** The column that prompts are in when a reference names none. */
export const PROMPT_COLUMN = 'prompt';

const CSV: FileForm = { wanted: 'a .csv file has comma-separated text', refusesArray: false };
const TEXT: FileForm = { wanted: 'a .txt file has one prompt per line', refusesArray: false };
/** Columns that an error lists. */
const LISTED = 20;

/**
 * Reads a text file: each line that is not blank is the `prompt` of a row.
 * @param onBytes sees every byte of the file in order
 * @throws InputError naming file and line: unreadable, above a limit, not UTF-8, or JSONL under the wrong name
 */
export function* readText(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
  limits = ROW_LIMITS,
): Generator<Row> {
  let rows = 0;
  for (const { line, text } of textLines(path, onBytes, limits, TEXT)) {
    if (text.trim() === '') continue;
    // Each would be a prompt without anybody noticing.
    if (rows === 0 && isJsonObject(text))
      throw new InputError(
        `${path}, line ${line}: a JSON object, but ${TEXT.wanted}; give a file of JSON lines the extension .jsonl.`,
      );
    if (++rows > limits.rows)
      throw new InputError(`${path} has more than ${limits.rows} rows; split it.`);
    yield { line, fields: new Map([[PROMPT_COLUMN, text]]) };
  }
}

/**
 * Reads a CSV file (RFC 4180, UTF-8, a header line): the column's cell is the `prompt` of a row, further columns its other
 * fields; an empty cell counts as a field that is not there. Line ends inside cells become `\n`.
 * @param onBytes sees every byte of the file in order
 * @param column name of the one with the prompts
 * @throws InputError naming file and line: as `readText`, not CSV, without the column, or a blank prompt
 */
export function* readCsv(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
  column: string,
  limits = CSV_LIMITS,
): Generator<Row> {
  const lines = Array.from(textLines(path, onBytes, limits, CSV), ({ text }) => text);
  const [header, ...records] = parseCsv(lines.join('\n'), path, limits);
  if (!header) return;
  const columns = header.cells.map((name) => name.trim());
  if (columns.length > limits.columns)
    throw new InputError(
      `${path}, line ${header.line}: ${columns.length} columns, but at most ${limits.columns} are read.`,
    );
  const repeated = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new InputError(`${path}, line ${header.line}: column "${repeated}" is there twice.`);
  const index = columns.indexOf(column);
  if (column === '' || index < 0) {
    const more = columns.length > LISTED ? `, and ${columns.length - LISTED} more` : '';
    const listed = columns.slice(0, LISTED).map((name) => JSON.stringify(name.slice(0, 100)));
    throw new InputError(
      `${path}, line ${header.line}: no column "${column}"; name one as FILE.csv#COLUMN, there are: ${listed.join(', ')}${more}.`,
    );
  }
  if (records.length > limits.rows)
    throw new InputError(`${path} has more than ${limits.rows} rows; split it.`);
  for (const { line, cells } of records) {
    const prompt = cells[index];
    if (prompt.trim() === '')
      throw new InputError(`${path}, line ${line}: column "${column}" must not be blank.`);
    const filled = columns
      .map((name, i) => [name, cells[i]] as const)
      .filter(([, cell]) => cell !== '');
    yield { line, fields: new Map([...filled, [PROMPT_COLUMN, prompt]]) };
  }
}

interface CsvRecord {
  /** Line that it begins on. */
  readonly line: number;
  readonly cells: readonly string[];
}

function parseCsv(text: string, path: string, limits: typeof CSV_LIMITS): CsvRecord[] {
  /** The line that each record ends on. */
  const ends: number[] = [];
  let parsed: string[][];
  try {
    parsed = parse(text, {
      // Not the option `info`, which changes what is returned to something that the types do not tell.
      on_record: (record: string[], { lines }) => {
        ends.push(lines);
        return record;
      },
      record_delimiter: '\n',
      skip_empty_lines: true,
      max_record_size: limits.lineBytes,
      // The header, and one more than may be there to notice it.
      to: limits.rows + 2,
    });
  } catch (error) {
    const lines: unknown = error instanceof CsvError ? error.lines : undefined;
    const line = typeof lines === 'number' ? `, line ${lines}` : '';
    throw new InputError(`${path}${line}: not valid CSV (${errorMessage(error)}).`);
  }
  return parsed.map((cells, i) => {
    const within = cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
    return { line: ends[i] - within, cells };
  });
}

/** The lines of a file in UTF-8, without their ends. */
function* textLines(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
  limits: typeof ROW_LIMITS,
  form: FileForm,
): Generator<{ line: number; text: string }> {
  // Only the first line can begin with a byte order mark; elsewhere the character is the user's.
  const first = new TextDecoder('utf-8', { fatal: true });
  const later = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let line = 0;
  for (const bytes of readLines(path, onBytes, limits, form)) {
    line++;
    let text: string;
    try {
      text = (line === 1 ? first : later).decode(bytes);
    } catch {
      throw new InputError(`${path}, line ${line}: not UTF-8; save the file in that encoding.`);
    }
    yield { line, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  }
}

function isJsonObject(text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
