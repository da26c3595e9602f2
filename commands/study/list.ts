import { BaseCommand } from '../../src/cli/base-command.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import { errorMessage } from '../../src/files.js';

interface ListedStudy {
  readonly study: string;
  readonly sampler: string | null;
  readonly created: string | null;
  readonly finished: number | null;
  readonly best_score: number | null;
  /** Why the study cannot be read; then all above but its name are null. */
  readonly problem: string | null;
}

/** What `--json` prints. */
interface StudyListDocument {
  readonly storage: string;
  readonly studies: readonly ListedStudy[];
}

export default class StudyList extends BaseCommand {
  static override readonly summary = 'List the studies of a storage folder.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --storage ~/studies --json',
  ];
  static override readonly flags = { ...storageFlag };

  async run(): Promise<StudyListDocument> {
    const { flags } = await this.parse(StudyList);
    const { openStorage } = await import('../../src/cli/storage.js');
    const { summariseStudy } = await import('../../src/search/study-summary.js');
    const storage = openStorage(flags.storage);
    const studies: ListedStudy[] = [];
    for (const study of await storage.list()) {
      try {
        const record = await storage.read(study);
        const { finished } = summariseStudy(record);
        studies.push({
          study,
          sampler: record.header.sampler,
          created: record.header.created,
          finished: finished.length,
          best_score: finished[0]?.score ?? null,
          problem: null,
        });
      } catch (error) {
        const none = { sampler: null, created: null, finished: null, best_score: null };
        studies.push({ study, ...none, problem: errorMessage(error) });
      }
    }
    if (!this.jsonEnabled()) await this.show(flags.storage, studies);
    return { storage: flags.storage, studies };
  }

  private async show(storage: string, studies: readonly ListedStudy[]): Promise<void> {
    if (studies.length === 0) {
      this.print(`There are no studies in ${storage}; sspec search --study NAME makes one.`);
      return;
    }
    const { table } = await import('../../src/reporting/table.js');
    const { formatSpeedup } = await import('../../src/reporting/format.js');
    this.print(
      table(
        [
          { key: 'study' },
          { key: 'sampler' },
          { key: 'created' },
          { key: 'trials' },
          { key: 'best', align: 'right' },
          { key: 'problem', title: '' },
        ],
        studies.map(({ study, sampler, created, finished, best_score, problem }) => ({
          study,
          sampler,
          created: created?.slice(0, 16).replace('T', ' '),
          trials: finished,
          best: best_score === null ? null : formatSpeedup(best_score),
          problem,
        })),
      ),
    );
  }
}
