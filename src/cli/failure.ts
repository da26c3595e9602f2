import { stripVTControlCharacters } from 'node:util';
import { Errors } from '@oclif/core';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { commandLine } from './command-line.js';
import { missingArguments, unknownCommand, unknownFlags } from './unknown.js';

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Thrown when a command stopped because of SIGINT or SIGTERM, after it has put its files in order. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  constructor() {
    super('Interrupted.');
  }
}

/** What is told about an error: `code` and `message` stand in the JSON document. */
export interface Failure {
  /** One sentence. */
  readonly message: string;
  /** `usage`: wrong flags or arguments; `input`: wrong values or files; `failed`: the run failed; `interrupted`. */
  readonly code: 'usage' | 'input' | 'failed' | 'interrupted';
  readonly exitCode: number;
  /** The command that goes on with what was interrupted. */
  readonly resume?: string;
}

/**
 * Sorts an error that ended a command.
 * @param commands the names of those that there are.
 * @param argv what was typed after `sspec`.
 */
export function describeFailure(
  error: unknown,
  commands: readonly string[] = [],
  argv: readonly string[] = [],
): Failure {
  const failure = sortFailure(error, commands);
  const resume = failure.code === 'interrupted' ? resumption(argv) : undefined;
  if (resume !== undefined)
    return { ...failure, resume, message: 'Interrupted; --resume goes on with what was finished.' };
  return { ...failure, message: sentence(failure.message) };
}

/** The command that goes on with what was interrupted; undefined where nothing was kept. */
export function resumption([command, ...argv]: readonly string[]): string | undefined {
  const has = (flag: string) =>
    argv.some((argument) => argument === flag || argument.startsWith(`${flag}=`));
  const isKept =
    command === 'search' ||
    (command === 'eval' && has('--output-dir')) ||
    (command === 'generate' && has('--dataset'));
  if (command === undefined || !isKept) return undefined;
  const again = argv.filter((argument) => argument !== '--force');
  return commandLine(command, again.includes('--resume') ? again : [...again, '--resume']);
}

function sortFailure(error: unknown, commands: readonly string[]): Failure {
  if (error instanceof InterruptedError)
    return { message: error.message, code: 'interrupted', exitCode: EXIT.interrupted };
  if (error instanceof InputError)
    return { message: flagMessage(error.message), code: 'input', exitCode: EXIT.usage };
  if (error instanceof Errors.CLIError)
    return { message: usageMessage(error, commands), code: 'usage', exitCode: EXIT.usage };
  if (errorCode(error)?.startsWith('ERR_PARSE_ARGS_'))
    return { message: parseArgsMessage(error), code: 'usage', exitCode: EXIT.usage };
  return { message: errorMessage(error), code: 'failed', exitCode: EXIT.failed };
}

/** One line that ends as sentences do, whatever a library wrote. */
function sentence(message: string): string {
  const line = message.replace(/\s*\n\s*/g, ' ').trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** oclif wraps what a flag's parser throws in three lines. */
function flagMessage(message: string): string {
  return message.replace(/^Parsing --\S+ \n\t/, '').replace(/\nSee more help with --help$/, '');
}

/** oclif's errors about the command line, on one line. */
function usageMessage(error: Errors.CLIError, commands: readonly string[]): string {
  const known = unknownFlags(error) ?? missingArguments(error);
  if (known !== undefined) return known;
  const lines = stripVTControlCharacters(flagMessage(error.message))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const text = lines.join(' ').replace(/^The following errors? occurred: /, '');
  const command = unknownCommand(text, commands);
  return command ?? `${text.replace(/[.:;]$/, '')}; see --help.`;
}

/** What `parseArgs` of node:util throws (the scripts of experiments/ use it), without the advice in its further sentences. */
function parseArgsMessage(error: unknown): string {
  const [text] = errorMessage(error).split(/\.\s+(?:To specify|This command|Did you) /);
  return `${text}; the comment at the head of the script tells its options.`;
}
