import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import type { StudyExport } from '../../src/study/export.js';

export default class StudyExportCommand extends BaseCommand {
  static override readonly summary = 'Write the trials of a study as CSV or JSON.';
  static override readonly description =
    "One row per trial, also of those that failed or were interrupted. JSON has the study's header and notes as well; --json prints the same, whatever the format of a file. A study may be exported while a search writes it.";
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> my-study',
    '<%= config.bin %> <%= command.id %> my-study --output trials.csv',
    '<%= config.bin %> <%= command.id %> my-study --format json --output study.json',
  ];
  static override readonly args = {
    name: Args.string({ required: true, description: 'Name of the study.' }),
  };
  static override readonly flags = {
    format: Flags.option({
      options: ['csv', 'json'] as const,
      default: 'csv' as const,
      summary: 'Form of the export; lists of layers are JSON in CSV, too.',
    })(),
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      summary: 'File to write [default: stdout].',
    }),
    ...storageFlag,
  };

  async run(): Promise<StudyExport> {
    const { args, flags } = await this.parse(StudyExportCommand);
    const { openStorage } = await import('../../src/cli/storage.js');
    const { writeFileAtomic } = await import('../../src/files.js');
    const { formatStudyExport } = await import('../../src/reporting/study-export.js');
    const { studyExport } = await import('../../src/study/export.js');
    const record = await openStorage(flags.storage).read(args.name);
    const document = studyExport(args.name, record);
    const text = formatStudyExport(document, flags.format);
    if (flags.output === undefined) this.print(text.trimEnd());
    else {
      writeFileAtomic(flags.output, text);
      this.print(`${document.trials.length} trials of ${args.name} written to ${flags.output}.`);
    }
    return document;
  }
}
