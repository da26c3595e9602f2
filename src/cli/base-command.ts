import { Command, Flags } from '@oclif/core';
import { tell } from './tell.js';

/**
 * What all commands share. A command's `run` returns the document that `--json` prints and writes everything else with
 * `print`; errors are thrown, and told in one place (main.ts). Modules that load the runtime are imported inside `run`,
 * so that `--help` stays quick.
 */
export abstract class BaseCommand extends Command {
  static override readonly enableJsonFlag = true;
  static override readonly baseFlags = {
    quiet: Flags.boolean({
      char: 'q',
      helpGroup: 'GLOBAL',
      summary: 'No progress and no warnings on stderr.',
    }),
  };

  /** Data for a person, on stdout; nothing with --json. */
  protected print(text: string): void {
    if (!this.jsonEnabled()) process.stdout.write(`${text}\n`);
  }

  /** A sentence on stderr. oclif's own `warn` wraps lines everywhere and is silent with --json. */
  protected notice(text: string, quiet: boolean): void {
    if (!quiet) tell('Note', text);
  }

  /** oclif would print errors here under --json and exit with 1. */
  protected override async catch(error: Error): Promise<void> {
    throw error;
  }

  override logJson(document: unknown): void {
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
}
