import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { InputError } from '../../src/errors.js';

/** What `--json` prints. */
interface StudyCopyDocument {
  readonly from: string;
  readonly to: string;
  readonly studies: readonly { readonly study: string; readonly events: number }[];
}

export default class StudyCopy extends BaseCommand {
  static override readonly summary = 'Copy studies between folders and databases.';
  static override readonly description =
    'All studies, or those of --study. None is copied where one of that name is there already; each is copied whole or not at all. A study that a search is writing is copied as it stands.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> .sspec/studies postgres://user@host/studies',
    '<%= config.bin %> <%= command.id %> postgres://user@host/studies ./copies --study my-study',
  ];
  static override readonly args = {
    from: Args.string({
      required: true,
      description: 'Folder or PostgreSQL database (postgres://user@host/name) to copy from.',
    }),
    to: Args.string({ required: true, description: 'Folder or database to copy to.' }),
  };
  static override readonly flags = {
    study: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
      summary: 'Name of a study to copy, several times for several [default: all].',
    }),
  };

  async run(): Promise<StudyCopyDocument> {
    const { args, flags } = await this.parse(StudyCopy);
    const { openStorage } = await import('../../src/cli/storage.js');
    const { createProgress } = await import('../../src/reporting/progress.js');
    const [from, to] = [openStorage(args.from), openStorage(args.to)];
    const names = [...new Set(flags.study ?? (await from.list()))];
    if (names.length === 0) throw new InputError(`There are no studies in ${from.place}.`);
    const there = new Set(await to.list());
    const taken = names.find((name) => there.has(name));
    if (taken !== undefined)
      throw new InputError(
        `${to.place} has a study "${taken}" already: remove it there first (sspec study rm), or name others with --study.`,
      );
    const label = 'Copying studies';
    const progress = createProgress({
      ...{ label, total: names.length, unit: 'studies', quiet: flags.quiet },
    });
    const studies = [];
    try {
      for (const study of names) {
        const record = await from.read(study);
        await to.add(study, record);
        studies.push({ study, events: record.events.length });
        progress.update(studies.length);
      }
    } finally {
      progress.stop();
    }
    for (const { study, events } of studies) this.print(`Copied ${study}, ${events} events.`);
    return { from: from.place, to: to.place, studies };
  }
}
