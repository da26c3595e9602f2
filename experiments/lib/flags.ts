import { parseArgs } from 'node:util';
import { InputError } from '../../src/errors.js';

/**
 * The flags of a script, by their defaults: `{ ladderSeeds: 10 }` is --ladder-seeds, whole numbers of 0 or more. A flag whose
 * default is a list may be given several times.
 * @throws InputError for a number that is none; parseArgs' own for a flag that is not there.
 */
export function parseFlags<
  N extends Record<string, number>,
  T extends Record<string, string | readonly string[]>,
>(argv: string[], numbers: N, texts: T): { [K in keyof N]: number } & T {
  const flagOf = (name: string) => name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const defaults = { ...numbers, ...texts };
  const options = Object.entries(defaults).map(([name, value]) => [
    flagOf(name),
    { type: 'string' as const, multiple: typeof value === 'object' },
  ]);
  const { values } = parseArgs({ args: argv, options: Object.fromEntries(options) });
  const read = Object.entries(defaults).map(([name, value]) => {
    const given = Reflect.get(values, flagOf(name));
    if (given === undefined || typeof value !== 'number') return [name, given ?? value];
    const number = Number(given);
    if (Number.isSafeInteger(number) && number >= 0) return [name, number];
    throw new InputError(`--${flagOf(name)} is "${given}": give a whole number of 0 or more.`);
  });
  return Object.fromEntries(read);
}
