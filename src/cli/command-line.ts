import { shellQuote } from '../reporting/shell-quote.js';

/** A command as one would type it into a shell: arguments that a shell would take apart stand in quotes. */
export function commandLine(command: string, argv: readonly string[]): string {
  return ['sspec', command, ...argv.map(shellQuote)].join(' ');
}
