import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { InputError } from '../src/errors.js';
import { errorMessage } from '../src/files.js';

const SHELLS = ['bash', 'zsh', 'powershell'] as const;

/** Where the plugin leaves the script of each shell, in its folder of the cache. */
const SCRIPTS = {
  bash: ['functions', 'bash', 'sspec.bash'],
  zsh: ['zsh_setup'],
  powershell: ['functions', 'powershell', 'sspec.ps1'],
} as const;

export default class Completion extends BaseCommand {
  static override readonly summary = 'Print a completion script for your shell.';
  static override readonly description = 'Evaluate it in the start-up file of the shell.';
  static override readonly examples = [
    {
      description: 'bash, in ~/.bashrc:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> bash)"',
    },
    {
      description: 'zsh, in ~/.zshrc:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> zsh)"',
    },
  ];
  static override readonly args = {
    shell: Args.string({
      options: SHELLS,
      description: 'The shell [default: the one of this session].',
    }),
  };

  async run(): Promise<{ shell: string; script: string }> {
    const { args } = await this.parse(Completion);
    const wanted = args.shell ?? this.config.shell;
    const shell = SHELLS.find((name) => name === wanted);
    if (!shell)
      throw new InputError(
        `There is no completion for the shell "${wanted}"; name one of ${SHELLS.join(', ')}.`,
      );
    const folder = join(this.config.cacheDir, 'autocomplete');
    let script: string;
    try {
      await this.config.runCommand('autocomplete:create');
      script = readFileSync(join(folder, ...SCRIPTS[shell]), 'utf8');
    } catch (error) {
      throw new InputError(
        `Cannot write the completion files to ${folder}: ${errorMessage(error)}.`,
      );
    }
    this.print(script);
    return { shell, script };
  }
}
