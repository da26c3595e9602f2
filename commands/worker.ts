import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { modelFlags } from '../src/cli/flags.js';
import { stoppable } from '../src/cli/interrupt.js';
import { storageFlag } from '../src/cli/storage-flag.js';
import type { WorkerDocument } from '../src/cli/worker.js';

const { precision: _ofTheStudy, ...ownFlags } = modelFlags;

export default class Worker extends BaseCommand {
  static override readonly summary = 'Take trials of a search that runs on another machine.';
  static override readonly description =
    'The search (sspec search --workers N) and its workers share a PostgreSQL database. A worker joins with the same weights, precision and releases, and only where its replay has the same bits as that of the search; it times what drafts cost here, which the database keeps. It waits for the search to begin, and ends when the trials are over or at Ctrl-C. A worker that dies loses nothing: another takes its trial.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --study my-study --storage postgres://user@host/studies',
    '<%= config.bin %> <%= command.id %> --study my-study --model ./my-model --threads 8',
  ];
  static override readonly flags = {
    study: Flags.string({ required: true, helpValue: 'NAME', summary: 'Name of the study.' }),
    ...storageFlag,
    ...ownFlags,
    model: Flags.string({
      helpValue: 'REF',
      summary:
        "The study's model, where it is in another place here [default: as the search named it].",
    }),
  };

  async run(): Promise<WorkerDocument> {
    const { flags } = await this.parse(Worker);
    const { openStorage } = await import('../src/cli/storage.js');
    const { work } = await import('../src/cli/worker.js');
    const { formatSeconds } = await import('../src/reporting/format.js');
    const storage = openStorage(flags.storage);
    const { result } = await stoppable((signal) =>
      work(storage, { ...flags, onNotice: (text) => this.notice(text, flags.quiet) }, signal),
    );
    const { trials, seconds, study } = result;
    this.print(`Scored ${trials} trials of ${study} in ${formatSeconds(seconds)}.`);
    return result;
  }
}
