/** Values that files from nobody's friend have. */
import type { Random } from '../../../src/random.js';

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

/** How many edits an input gets: mostly one, which leaves the rest of it to be read. */
export function editCount(random: Random): number {
  return Math.max(1, random.integer(7) - 2);
}

/** Names that lead elsewhere, break a line or a terminal, or mean something to JavaScript. */
export const NAMES: readonly string[] = [
  '../outside/evil',
  '../../outside/evil',
  '../../../../../../../../../../../../outside/evil',
  '/outside/evil',
  'C:\\outside\\evil',
  '..\\..\\outside',
  '.',
  '..',
  '',
  ' ',
  'nul\0byte',
  'line\nbreak',
  'tab\tcarriage\r',
  '\u001b[2J\u001b[31mred',
  '\ufeffmark',
  '\u202ebackwards',
  '\ud800',
  '😀',
  'a'.repeat(300),
  'a'.repeat(70_000),
  '(a+)+$',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '%s%n',
  '{{ 7 * 7 }}',
  'CON',
];

/** Numbers as JSON spells them; some are none once they are read. */
export const NUMBERS: readonly string[] = [
  ...['0', '-0', '1', '-1', '2', '3', '0.5', '1e-300', '1e300', '1e999', '-1e999', '255', '256'],
  ...[
    '65535',
    '65536',
    '1048576',
    '1048577',
    '16777216',
    '2147483647',
    '2147483648',
    '-2147483648',
  ],
  ...['4294967295', '4294967296', '9007199254740991', '9007199254740992', '18446744073709551615'],
  ...['1.7976931348623157e308', '5e-324', '0.1', '100000', '1000000000'],
];

/** The same as bits of a binary file. */
export const WORDS: readonly bigint[] = [
  ...[0n, 1n, 2n, 7n, 8n, 9n, 10n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x10000n, 0xffffffn],
  ...[0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, (1n << 53n) - 1n, 1n << 53n],
  ...[0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn, 0x7ff0000000000000n],
];
