import { Command, Errors, Flags } from '@oclif/core';
import { InputError } from '../errors.js';
import type { FlagSource } from './defaults.js';
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

  /** Flags that mean something else here than elsewhere, and so have no default from environment or file. */
  protected readonly withoutDefault: readonly string[] = [];

  /** Where flags come from that nobody typed. */
  private sources: ReadonlyMap<string, FlagSource> = new Map();

  /** Puts the defaults of environment and configuration file in front of what was typed. */
  protected override async init(): Promise<void> {
    await super.init();
    const { defaultFlags } = await import('./defaults.js');
    const flags = Object.keys(this.ctor.flags ?? {}).filter(
      (flag) => !this.withoutDefault.includes(flag),
    );
    const { argv, sources } = defaultFlags(flags, this.argv);
    this.argv = [...argv, ...this.argv];
    this.sources = sources;
  }

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
    if (
      this.sources.size > 0 &&
      (error instanceof InputError || error instanceof Errors.CLIError)
    ) {
      const { withSources } = await import('./defaults.js');
      error.message = withSources(error, this.sources);
    }
    throw error;
  }

  override logJson(document: unknown): void {
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
}
