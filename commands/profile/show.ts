import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import type { Profile } from '../../src/profile/schema.js';

export default class ProfileShow extends BaseCommand {
  static override readonly summary =
    'Show a skip profile: its mask as a map of the layers, its figures, where it comes from.';
  static override readonly description = 'With --json the profile itself.';
  static override readonly examples = ['<%= config.bin %> <%= command.id %> profile.json'];
  static override readonly args = {
    file: Args.string({
      required: true,
      description: 'A skip profile, as sspec search writes it.',
    }),
  };

  async run(): Promise<Profile> {
    const { args } = await this.parse(ProfileShow);
    const { readProfile } = await import('../../src/profile/profile.js');
    const profile = readProfile(args.file);
    if (!this.jsonEnabled()) {
      const { profileText } = await import('../../src/reporting/profile-text.js');
      this.print(profileText(profile));
    }
    return profile;
  }
}
