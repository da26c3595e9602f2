import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { modelFlags } from '../../src/cli/flags.js';
import { loadModelWithProgress } from '../../src/cli/load.js';
import type { Profile } from '../../src/profile/schema.js';

export default class ProfileImport extends BaseCommand {
  static override readonly summary =
    'Make a skip profile of bare lists of layers, as papers publish them.';
  static override readonly description =
    'Reads {"attention": [...], "mlp": [...]}, or FILE#NAME where a file has several under names. The profile drafts with the default draft-length rule and has no figures: sspec eval --profile measures it.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> skip.json --model org/name --output imported.json',
  ];
  static override readonly args = {
    file: Args.string({ required: true, description: 'A JSON file of lists.' }),
  };
  static override readonly flags = {
    ...modelFlags,
    output: Flags.string({
      char: 'o',
      default: 'profile.json',
      helpValue: 'FILE',
      summary: 'File that the profile is written to.',
    }),
  };

  async run(): Promise<Profile> {
    const { args, flags } = await this.parse(ProfileImport);
    const { commandLine } = await import('../../src/cli/command-line.js');
    const { checkWritable } = await import('../../src/files.js');
    const { readSkipLists } = await import('../../src/profile/skip-lists.js');
    const { saveProfile } = await import('../../src/search/save-profile.js');
    const { importedProfile } = await import('../../src/search/imported-profile.js');
    checkWritable(flags.output);
    const model = await loadModelWithProgress(flags);
    try {
      const mask = readSkipLists(args.file, model.engine.config.layers);
      const profile = importedProfile(model, mask, commandLine('profile import', this.argv));
      saveProfile(flags.output, profile, null);
      this.print(`${flags.output} drafts with the mask of ${args.file}; sspec eval measures it.`);
      return profile;
    } finally {
      await model.close();
    }
  }
}
