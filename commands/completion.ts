import { Args } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { SCRIPTS } from '../src/cli/completion/scripts.js';
import { InputError } from '../src/errors.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export default class Completion extends BaseCommand {
  static override readonly summary = 'Print a completion script for your shell.';
  static override readonly description =
    'It completes commands, flags and their values, files, and the names of datasets, models and studies. Evaluate it in the start-up file of the shell.';
  static override readonly examples = [
    {
      description: 'bash, in ~/.bashrc:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> bash)"',
    },
    {
      description: 'zsh, in ~/.zshrc:',
      command: 'eval "$(<%= config.bin %> <%= command.id %> zsh)"',
    },
    {
      description: 'fish, in ~/.config/fish/config.fish:',
      command: 'source (<%= config.bin %> <%= command.id %> fish | psub)',
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
    const script = SCRIPTS[shell];
    this.print(script);
    return { shell, script };
  }
}
