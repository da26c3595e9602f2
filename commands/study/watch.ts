import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { stoppable } from '../../src/cli/interrupt.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import type { StudyProgress } from '../../src/study/progress.js';

/** What `--json` prints. */
interface StudyWatchDocument extends StudyProgress {
  readonly study: string;
}

export default class StudyWatch extends BaseCommand {
  static override readonly summary = 'Show how a search goes on, live.';
  static override readonly description =
    'Trials, the best so far and where the search is, until it is finished or you press Ctrl-C; the search runs on. Where stdout is no terminal, lines are printed when something has changed. --json prints how it stands now, once.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> my-study',
    '<%= config.bin %> <%= command.id %> my-study --storage postgres://user@host/studies',
  ];
  static override readonly args = {
    name: Args.string({ required: true, description: 'Name of the study.' }),
  };
  static override readonly flags = { ...storageFlag };

  async run(): Promise<StudyWatchDocument> {
    const { args, flags } = await this.parse(StudyWatch);
    const { follow } = await import('../../src/cli/follow.js');
    const { openStorage } = await import('../../src/cli/storage.js');
    const { createLiveText } = await import('../../src/reporting/live-text.js');
    const { formatStudyProgress } = await import('../../src/reporting/study-progress.js');
    const { studyProgress } = await import('../../src/study/progress.js');
    const storage = openStorage(flags.storage);
    let progress = studyProgress(await storage.read(args.name));
    if (this.jsonEnabled()) return { study: args.name, ...progress };
    const text = createLiveText(process.stdout);
    await stoppable((signal) =>
      follow(async () => {
        progress = studyProgress(await storage.read(args.name));
        text.show(formatStudyProgress(args.name, progress));
        return progress.stage === 'finished';
      }, signal),
    );
    return { study: args.name, ...progress };
  }
}
