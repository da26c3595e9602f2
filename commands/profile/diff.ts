import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import type { ProfileDifference } from '../../src/profile/difference.js';

export default class ProfileDiff extends BaseCommand {
  static override readonly summary = 'Tell in what two skip profiles differ.';
  static override readonly description =
    'Field by field; when and with which command they were made is left out. sspec compare says which is faster.';
  static override readonly examples = ['<%= config.bin %> <%= command.id %> old.json new.json'];
  static override readonly args = {
    first: Args.string({ required: true, description: 'A skip profile.' }),
    second: Args.string({ required: true, description: 'Another.' }),
  };

  async run(): Promise<{ readonly differences: readonly ProfileDifference[] }> {
    const { args } = await this.parse(ProfileDiff);
    const { readProfile } = await import('../../src/profile/profile.js');
    const { profileDifferences } = await import('../../src/profile/difference.js');
    const { profileDifferenceText } = await import('../../src/reporting/profile-difference.js');
    const differences = profileDifferences(readProfile(args.first), readProfile(args.second));
    this.print(profileDifferenceText(differences));
    return { differences };
  }
}
