import { InputError } from '../../../errors.js';
import { type HeaderWindow, quoted } from './window.js';

const MAX_ARRAY_ELEMENTS = 2 ** 22;
const MAX_ARRAY_NESTING = 4;
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 2 ** 20;

const ARRAY = 9;
const EMPTY_ARRAY_BYTES = 12;

type ScalarReader = Exclude<keyof HeaderWindow, 'field' | 'fault' | 'position' | 'bytesLeft'>;

/** The metadata value types, by their ids: how each is read, and the fewest bytes that one takes. */
const VALUE_TYPES: Readonly<Record<number, readonly [ScalarReader, number]>> = {
  0: ['u8', 1],
  1: ['i8', 1],
  2: ['u16', 2],
  3: ['i16', 2],
  4: ['u32', 4],
  5: ['i32', 4],
  6: ['f32', 4],
  7: ['bool', 1],
  8: ['string', 8],
  10: ['u64', 8],
  11: ['i64', 8],
  12: ['f64', 8],
};
/** A metadata value; 64-bit integers are numbers, as those past 2^53 are refused. */
export type GgufValue = string | number | boolean | readonly GgufValue[];

/** Reads `count` metadata entries from where the window stands. */
export function readMetadata(window: HeaderWindow, count: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  // The limit is on all arrays together, as it is there to bound the memory of one file.
  const budget = { elements: MAX_ARRAY_ELEMENTS };
  for (let i = 0; i < count; i++) {
    window.field = `the key of metadata entry ${i}`;
    const key = window.string();
    window.field = `metadata ${quoted(key)}`;
    if (metadata.has(key)) throw window.fault('is listed twice');
    metadata.set(key, readValue(window, window.u32(), budget, 0));
  }
  return metadata;
}

function readValue(
  window: HeaderWindow,
  type: number,
  budget: { elements: number },
  depth: number,
): GgufValue {
  if (type !== ARRAY) {
    const scalar = VALUE_TYPES[type];
    if (!scalar) throw window.fault(`has the unknown value type ${type}`);
    return window[scalar[0]]();
  }
  if (depth >= MAX_ARRAY_NESTING)
    throw window.fault(`nests arrays deeper than the limit of ${MAX_ARRAY_NESTING}`);
  const elementType = window.u32();
  const elementBytes =
    elementType === ARRAY ? EMPTY_ARRAY_BYTES : (VALUE_TYPES[elementType]?.[1] ?? 0);
  if (elementBytes === 0) throw window.fault(`has the unknown element type ${elementType}`);
  const length = window.u64();
  if (length > budget.elements)
    throw window.fault(
      `takes the arrays of the header past the limit of ${MAX_ARRAY_ELEMENTS} elements`,
    );
  budget.elements -= length;
  if (length * elementBytes > window.bytesLeft)
    throw window.fault(
      `claims an array of ${length} elements, more than the rest of the file can hold`,
      'the file is truncated or damaged; download it again',
    );
  return Array.from({ length }, () => readValue(window, elementType, budget, depth + 1));
}

/** Refuses a file that holds only a part of a model. */
export function checkNotSplit(metadata: ReadonlyMap<string, GgufValue>, file: string): void {
  const count = metadata.get('split.count');
  if (count === undefined || (typeof count === 'number' && count <= 1)) return;
  const number = metadata.get('split.no');
  const part = typeof number === 'number' ? `part ${number + 1}` : 'a part';
  const of = typeof count === 'number' ? `a GGUF split into ${count} files` : 'a split GGUF';
  throw new InputError(
    `${file} is ${part} of ${of}, which cannot be read; merge the files with llama-gguf-split --merge and give the merged one.`,
  );
}

/** The alignment in bytes of the tensors' data. */
export function alignmentOf(
  metadata: ReadonlyMap<string, GgufValue>,
  window: HeaderWindow,
): number {
  const value = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (
    typeof value === 'number' &&
    value >= 1 &&
    value <= MAX_ALIGNMENT &&
    Number.isInteger(Math.log2(value))
  )
    return value;
  window.field = 'metadata "general.alignment"';
  throw window.fault(`is not a power of two up to ${MAX_ALIGNMENT}`);
}
