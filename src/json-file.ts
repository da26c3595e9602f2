import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { InputError } from './errors.js';
import { errorCode, errorMessage } from './files.js';

/** Files that we read have a tenth of it. */
const MAX_NESTING = 200;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Reads one JSON file.
 * @param path file to read
 * @param maxBytes larger files are refused before they are read
 * @returns the parsed value, or undefined when the file does not exist
 * @throws InputError when the file cannot be read, is too large, or is not JSON in UTF-8
 */
export function readJsonFile(path: string, maxBytes: number): unknown {
  const bytes = readLimited(path, maxBytes);
  if (bytes === undefined) return undefined;
  try {
    return parseJsonBytes(bytes);
  } catch (error) {
    throw new InputError(
      `${path} is not valid JSON (${errorMessage(error)}); mend it, or get the file again.`,
    );
  }
}

/**
 * Reads one whole UTF-8 text file.
 * @returns the text, or undefined when the file does not exist
 * @throws InputError when the file cannot be read or is larger than `maxBytes`
 */
export function readTextFile(path: string, maxBytes: number): string | undefined {
  return readLimited(path, maxBytes)?.toString('utf8');
}

/** Parses UTF-8 JSON; throws (SyntaxError, TypeError) on broken UTF-8 or JSON, and as {@link parseJson} does. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

/**
 * Parses JSON from outside, which nobody nests as deeply as would exhaust the stack of those who go through it.
 * @throws SyntaxError on broken JSON, and on such nesting.
 */
export function parseJson(text: string): unknown {
  if (nesting(text) > MAX_NESTING)
    throw new SyntaxError(`it is nested deeper than ${MAX_NESTING} levels`);
  return JSON.parse(text);
}

/** Deepest level of brackets outside strings; one pass without recursion, as the text is not yet trusted. */
export function nesting(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) i = endOfString(json, i);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
  }
  return deepest;
}

/** Where the string that begins at a quotation mark ends; the end of the text where it does not. */
function endOfString(json: string, begin: number): number {
  for (let i = begin + 1; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return json.length;
}

/**
 * Checks a value from outside against a schema.
 * @param file named in the error
 * @throws InputError naming the file and the first field that does not fit
 */
export function parseFields<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue.path.length === 0 ? 'its content' : `field "${issue.path.join('.')}"`;
  throw new InputError(
    `${file}: ${field} cannot be used: ${issue.message.replace(/^Invalid input: /, '')}.`,
  );
}

function readLimited(path: string, maxBytes: number): Buffer | undefined {
  try {
    const { size } = statSync(path);
    if (size > maxBytes)
      throw new InputError(
        `${path} has ${size} bytes, more than the ${maxBytes} that such a file may have.`,
      );
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${path}: ${errorMessage(error)}.`);
  }
}
