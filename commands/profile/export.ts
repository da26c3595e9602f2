import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import type { SkipMask } from '../../src/profile/mask.js';

export default class ProfileExport extends BaseCommand {
  static override readonly summary =
    'Write the mask of a skip profile as bare lists of layers, as papers publish them.';
  static override readonly description =
    '{"attention": [...], "mlp": [...]} is what other implementations of the method read; profile import reads it too. Bridges and a smaller head are not in it.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> profile.json',
    '<%= config.bin %> <%= command.id %> profile.json --output skip.json',
  ];
  static override readonly args = {
    file: Args.string({ required: true, description: 'A skip profile.' }),
  };
  static override readonly flags = {
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      summary: 'File to write to [default: standard output].',
    }),
  };

  async run(): Promise<SkipMask> {
    const { args, flags } = await this.parse(ProfileExport);
    const { readProfile } = await import('../../src/profile/profile.js');
    const { writeFileAtomic } = await import('../../src/files.js');
    const profile = readProfile(args.file);
    const lists = { attention: profile.skip_attention, mlp: profile.skip_mlp };
    if (profile.draft_weights)
      this.notice(
        'The profile also has bridges or a smaller head, which lists of layers cannot tell of.',
        flags.quiet,
      );
    const text = JSON.stringify(lists);
    if (flags.output === undefined) this.print(text);
    else {
      writeFileAtomic(flags.output, `${text}\n`);
      this.print(`Lists of layers written to ${flags.output}.`);
    }
    return lists;
  }
}
