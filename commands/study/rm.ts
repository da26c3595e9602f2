import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import { InputError } from '../../src/errors.js';

/** What `--json` prints. */
interface StudyRemovalDocument {
  readonly storage: string;
  /** Names of the studies that are gone; none where the answer was no. */
  readonly removed: readonly string[];
}

export default class StudyRemove extends BaseCommand {
  static override readonly summary = 'Remove studies.';
  static override readonly description =
    'All of the named studies or none: one that a search is writing keeps them all. Profiles stay where they are.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> my-study',
    '<%= config.bin %> <%= command.id %> my-study another-study --yes',
  ];
  static override readonly args = {
    name: Args.string({ required: true, multiple: true, description: 'Name of a study.' }),
  };
  static override readonly flags = {
    yes: Flags.boolean({
      char: 'y',
      summary: 'Do not ask; needed where there is no terminal to ask on.',
    }),
    ...storageFlag,
  };

  async run(): Promise<StudyRemovalDocument> {
    const { args, flags } = await this.parse(StudyRemove);
    const { openStorage } = await import('../../src/cli/storage.js');
    const storage = openStorage(flags.storage);
    const names = [...new Set(args.name)];
    if (!flags.yes && !(await this.mayRemove(names, await storage.list(), flags.storage))) {
      this.print('Nothing was removed.');
      return { storage: storage.place, removed: [] };
    }
    await storage.remove(names);
    for (const name of names) this.print(`Removed ${name}.`);
    return { storage: storage.place, removed: names };
  }

  /** @throws InputError for a name that there is not, or where nobody can be asked. */
  private async mayRemove(names: readonly string[], known: readonly string[], storage: string) {
    const { canAsk, confirm } = await import('../../src/cli/confirm.js');
    const missing = names.find((name) => !known.includes(name));
    if (missing !== undefined)
      throw new InputError(`There is no study "${missing}" in ${storage}.`);
    if (!canAsk())
      throw new InputError('There is no terminal to ask on: give --yes to remove studies.');
    return confirm(
      names.length === 1
        ? `Remove study ${names[0]} from ${storage}?`
        : `Remove ${names.length} studies (${names.join(', ')}) from ${storage}?`,
    );
  }
}
