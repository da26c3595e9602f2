/** Mutations of JSON that leave it JSON, mostly: what a parser lets through. */
import type { Random } from '../../../src/random.js';
import { editCount, NAMES, NUMBERS, pick } from './hostile.js';

/** Any JSON value, as it is built up here. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Stands for text that `JSON.stringify` would not write: what follows is put in its place. */
const RAW = '@raw@';
const raw = (text: string): string => RAW + text;

/** A value in its place, so that it can be replaced. */
interface Slot {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string | number;
  readonly value: Json;
}

function slotsOf(value: Json, into: Slot[] = []): Slot[] {
  if (Array.isArray(value)) {
    for (const [key, inner] of value.entries()) {
      into.push({ holder: value, key, value: inner });
      slotsOf(inner, into);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      into.push({ holder: value, key, value: inner });
      slotsOf(inner, into);
    }
  }
  return into;
}

function put({ holder, key }: Slot, value: Json): void {
  // A field called `__proto__` must become one, not the prototype.
  Object.defineProperty(holder, key, {
    ...{ value, enumerable: true, configurable: true, writable: true },
  });
}

function another(random: Random, value: Json): Json {
  switch (random.integer(10)) {
    case 0:
      return null;
    case 1:
      return random.integer(2) === 0;
    case 2:
      return pick<Json>(random, [[], {}, [[]], [null], { '': null }]);
    case 3: {
      const depth = pick(random, [10, 40, 600, 5000, 60_000]);
      const [open, close] = pick(random, [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const);
      return raw(open.repeat(depth) + (open === '[' ? '' : '0') + close.repeat(depth));
    }
    case 4:
    case 5:
      return raw(pick(random, NUMBERS));
    case 6:
      return pick(random, NAMES);
    case 7:
      return Array.isArray(value) ? Object.fromEntries(value.entries()) : [value];
    case 8:
      if (typeof value === 'string') return value + pick(random, NAMES);
      // Not of an object, whose toString may be what an edit made of it.
      return typeof value === 'object' ? '[object Object]' : String(value);
    default:
      return typeof value === 'number' ? value + random.integer(5) - 2 : pick(random, NAMES);
  }
}

/** Values in its place: most are of another type, some another value of the same. */
function replacement(random: Random, slot: Slot, slots: readonly Slot[], donor: Json): Json {
  const { value } = slot;
  switch (random.integer(6)) {
    case 0: {
      const others = slotsOf(donor);
      return others.length > 0 ? structuredClone(pick(random, others).value) : null;
    }
    case 1:
      // A copy, or a value moved into itself would have no end.
      return structuredClone(pick(random, slots).value);
    case 2: {
      if (!Array.isArray(value) || value.length === 0) return another(random, value);
      const length = Math.min(20_000, value.length * 2 ** random.integer(8));
      return Array.from({ length }, (_, i) => value[i % value.length]!);
    }
    default:
      return another(random, value);
  }
}

function edit(random: Random, root: Json, donor: Json): void {
  const slots = slotsOf(root);
  if (slots.length === 0) return;
  // Rather a field near the top than one of a thousand numbers deep inside.
  const shallow = slots.filter(({ holder }) => holder === root);
  const slot = pick(random, random.integer(2) === 0 && shallow.length > 0 ? shallow : slots);
  const { holder, key, value } = slot;
  const kind = random.integer(5);
  if (kind > 1) put(slot, replacement(random, slot, slots, donor));
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else {
    delete holder[key];
    if (kind === 1) put({ holder, key: pick(random, NAMES), value }, value);
  }
}

/**
 * Mutates a JSON value by one to three edits: fields left out, renamed, moved or of another type, numbers without end, nesting
 * without end.
 * @param donor another of the same kind, to take values from.
 * @returns text; a field may stand in it twice.
 */
export function mutateJson(random: Random, value: Json, donor: Json): string {
  const root: { all: Json } = { all: structuredClone(value) };
  for (let edits = editCount(random); edits > 0; edits--) edit(random, root.all, donor);
  if (random.integer(40) === 0) put({ holder: root, key: 'all', value }, another(random, root.all));
  const text = writeJson(root.all);
  if (random.integer(20) > 0 || !text.startsWith('{')) return text;
  const [field] = Object.keys(Object(root.all));
  return field === undefined ? text : `{${JSON.stringify(field)}:${text},${text.slice(1)}`;
}

/** JSON of a value, with raw text in it; of what edits blew up only the beginning. */
function writeJson(value: Json): string {
  let budget = 400_000;
  const write = (inner: Json): string => {
    if (--budget < 0) return 'null';
    if (typeof inner === 'string')
      return inner.startsWith(RAW) ? inner.slice(RAW.length) : JSON.stringify(inner);
    if (Array.isArray(inner)) return `[${inner.map(write).join(',')}]`;
    if (typeof inner !== 'object' || inner === null) return JSON.stringify(inner);
    const fields = Object.entries(inner).map(
      ([key, field]) => `${JSON.stringify(key)}:${write(field)}`,
    );
    return `{${fields.join(',')}}`;
  };
  return write(value);
}
