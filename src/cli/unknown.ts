import type { Errors } from '@oclif/core';
import { closest } from './did-you-mean.js';

/** What is said of a command that there is not; undefined for an error about something else. */
export function unknownCommand(text: string, known: readonly string[]): string | undefined {
  const command = /^command (\S+) not found$/i.exec(text)?.[1]?.replaceAll(':', ' ');
  if (command === undefined) return undefined;
  if (command.startsWith('-'))
    return `There is no command before ${command}: flags come after it (sspec COMMAND ${command}); see sspec --help.`;
  return `There is no command "${command}"${hint(closest(command, known), '"')}; see sspec --help.`;
}

/** What is said of flags that a command does not have; undefined for an error about something else. */
export function unknownFlags(error: Errors.CLIError): string | undefined {
  const given = field(error, 'flags');
  if (error.constructor.name !== 'NonExistentFlagsError' || !Array.isArray(given)) return undefined;
  const known = knownFlags(field(field(field(error, 'parse'), 'input'), 'flags'));
  const told = given.map((flag) => {
    const name = String(flag).replace(/=.*$/s, '');
    const meant = name.startsWith('--') ? closest(name.slice(2), known) : undefined;
    return `${name}${hint(meant && `--${meant}`)}`;
  });
  return `Unknown flag${told.length === 1 ? '' : 's'}: ${told.join(', ')}; see --help.`;
}

/** What is said of arguments that are missing; undefined for an error about something else. */
export function missingArguments(error: Errors.CLIError): string | undefined {
  const missing = field(error, 'args');
  if (error.constructor.name !== 'RequiredArgsError' || !Array.isArray(missing)) return undefined;
  const told = missing.map((argument) => {
    const description = String(field(argument, 'description') ?? '').replace(/\.$/, '');
    return `${String(field(argument, 'name')).toUpperCase()} (${description})`;
  });
  return `Missing argument${told.length === 1 ? '' : 's'}: ${told.join(', ')}; see --help.`;
}

function hint(meant: string | undefined, quote = ''): string {
  return meant === undefined ? '' : ` (did you mean ${quote}${meant}${quote}?)`;
}

/** Names of a command's flags, those with `no-` before them too. */
function knownFlags(flags: unknown): string[] {
  if (typeof flags !== 'object' || flags === null) return [];
  return [
    'help',
    ...Object.entries(flags).flatMap(([name, flag]) =>
      field(flag, 'allowNo') === true ? [name, `no-${name}`] : [name],
    ),
  ];
}

/** A field of what oclif does not export a type of. */
function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
