import { shellQuote } from '../reporting/shell-quote.js';
import { withoutPasswords } from '../study/postgres/address.js';

/**
 * A command as one would type it into a shell: arguments that a shell would take apart stand in quotes, passwords of databases are
 * left out.
 */
export function commandLine(command: string, argv: readonly string[]): string {
  return ['sspec', command, ...argv.map(withoutPasswords).map(shellQuote)].join(' ');
}
