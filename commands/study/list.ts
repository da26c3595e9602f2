import { BaseCommand } from '../../src/cli/base-command.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import { errorMessage } from '../../src/files.js';

interface ListedStudy {
  readonly study: string;
  /** As it was given to `--model`; null where the journal does not tell. */
  readonly model: string | null;
  /** Of the calibration prompts. */
  readonly dataset: string | null;
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

const UNREADABLE = {
  model: null,
  dataset: null,
  sampler: null,
  created: null,
  finished: null,
  best_score: null,
};

/** The list is for a plain terminal; the sampler has no place in it. */
const WIDTH = 80;
/** Names up to this length stay in one piece, so that they can be copied. */
const WHOLE_NAME = 34;

export default class StudyList extends BaseCommand {
  static override readonly summary = 'List the studies of a folder or database.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --storage ~/studies --json',
  ];
  static override readonly flags = { ...storageFlag };

  async run(): Promise<StudyListDocument> {
    const { flags } = await this.parse(StudyList);
    const { openStorage } = await import('../../src/cli/storage.js');
    const { studySubject } = await import('../../src/study/subject.js');
    const { summariseStudy } = await import('../../src/study/summary.js');
    const storage = openStorage(flags.storage);
    const studies: ListedStudy[] = [];
    for (const study of await storage.list()) {
      try {
        const record = await storage.read(study);
        const summary = summariseStudy(record);
        const { finished } = summary;
        studies.push({
          study,
          ...studySubject(record.header, summary),
          sampler: record.header.sampler,
          created: record.header.created,
          finished: finished.length,
          best_score: finished[0]?.score ?? null,
          problem: null,
        });
      } catch (error) {
        studies.push({ study, ...UNREADABLE, problem: errorMessage(error) });
      }
    }
    if (!this.jsonEnabled()) await this.show(storage.place, studies);
    return { storage: storage.place, studies };
  }

  private async show(storage: string, studies: readonly ListedStudy[]): Promise<void> {
    if (studies.length === 0) {
      this.print(`There are no studies in ${storage}; sspec search --study NAME makes one.`);
      return;
    }
    const { table } = await import('../../src/reporting/table.js');
    const { formatSpeedup } = await import('../../src/reporting/format.js');
    const { shortReference } = await import('../../src/reporting/short-reference.js');
    this.print(
      table(
        [
          { key: 'study', whole: WHOLE_NAME },
          { key: 'model' },
          { key: 'dataset', whole: 'dataset'.length },
          { key: 'created', whole: 'YYYY-MM-DD'.length },
          { key: 'trials' },
          { key: 'best', align: 'right' },
        ],
        studies.map(({ study, model, dataset, created, finished, best_score }) => ({
          study,
          model: model && shortReference(model),
          dataset,
          created: created?.slice(0, 10),
          trials: finished,
          best: best_score === null ? null : formatSpeedup(best_score),
        })),
        WIDTH,
      ),
    );
    const { wrapLine } = await import('../../src/reporting/width.js');
    for (const { study, problem } of studies)
      if (problem !== null)
        this.print(`\n${wrapLine(`${study} cannot be read: ${problem}`, WIDTH).join('\n')}`);
  }
}
