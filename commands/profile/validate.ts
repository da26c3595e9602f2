import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';

/** What `--json` prints; for a file that is no profile the error stands there instead. */
interface ValidateDocument {
  readonly profile: string;
  readonly valid: true;
}

export default class ProfileValidate extends BaseCommand {
  static override readonly summary =
    'Check that a file is a skip profile; exit code 2 when it is not.';
  static override readonly description =
    'Every field is checked, and the first that does not fit is named, and the file of draft weights where it has one. Whether it belongs to a model is checked when it is used.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> profile.json',
    '<%= config.bin %> <%= command.id %> profile.json -q && echo fine',
  ];
  static override readonly args = {
    file: Args.string({ required: true, description: 'The file to check.' }),
  };

  async run(): Promise<ValidateDocument> {
    const { args, flags } = await this.parse(ProfileValidate);
    const { readProfile } = await import('../../src/profile/profile.js');
    const { checkDraftWeights } = await import('../../src/engine/draft-weights.js');
    checkDraftWeights(readProfile(args.file), args.file);
    if (!flags.quiet) this.print(`${args.file} is a valid skip profile.`);
    return { profile: args.file, valid: true };
  }
}
