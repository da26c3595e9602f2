import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { stoppable } from '../src/cli/interrupt.js';
import { storageFlag } from '../src/cli/storage-flag.js';
import type { ReportInput } from '../src/reporting/report/inputs.js';

/** What `--json` prints. */
interface ReportDocument {
  /** The page's file. */
  readonly report: string;
  /** The figures' files; none without `--figures`. */
  readonly figures: readonly string[];
  readonly inputs: readonly { readonly kind: string; readonly path: string }[];
}

/** Between two pages of a study that goes on. */
const REFRESH_SECONDS = 10;

export default class Report extends BaseCommand {
  static override readonly summary = 'Make a page of evaluations, studies and profiles.';
  static override readonly description =
    'One HTML file without scripts or anything from elsewhere: speedups with their intervals, mask, search trace, acceptance, where the time went, texts side by side, environment and the commands to reproduce.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> results/',
    '<%= config.bin %> <%= command.id %> my-study results/ profile.json --output page.html',
    '<%= config.bin %> <%= command.id %> results/ --figures figures/',
    '<%= config.bin %> <%= command.id %> my-study --watch',
  ];
  static override readonly args = {
    path: Args.string({
      required: true,
      multiple: true,
      description:
        'Folder that sspec eval --output-dir wrote, or its results.json; study (its name or file); profile; or a folder of these.',
    }),
  };
  static override readonly flags = {
    output: Flags.string({
      char: 'o',
      default: 'report.html',
      helpValue: 'FILE',
      summary: 'Where the page goes.',
    }),
    figures: Flags.string({
      helpValue: 'DIR',
      summary:
        'Folder for every figure as SVG, as PNG where @resvg/resvg-js is installed, and as PDF where pdfkit and svg-to-pdfkit are.',
    }),
    titles: Flags.boolean({
      default: true,
      allowNo: true,
      summary: 'Titles in these figures; a paper has them in its captions.',
    }),
    watch: Flags.boolean({
      summary:
        'Make the page anew while its studies go on; it loads itself again until they are finished (or Ctrl-C).',
    }),
    ...storageFlag,
  };

  async run(): Promise<ReportDocument> {
    const { args, flags } = await this.parse(Report);
    const { follow } = await import('../src/cli/follow.js');
    const { openStorage } = await import('../src/cli/storage.js');
    const { readReportInputs } = await import('../src/reporting/report/inputs.js');
    const { studyProgress } = await import('../src/study/progress.js');
    const isGoingOn = (input: ReportInput) =>
      input.kind === 'study' && studyProgress(input.record).stage !== 'finished';
    const { writeReport } = await import('../src/reporting/report/write.js');
    const storage = openStorage(flags.storage);
    const read = async () =>
      (await Promise.all(args.path.map((path) => readReportInputs(path, storage)))).flat();
    let inputs = await read();
    if (flags.watch) {
      await stoppable((signal) =>
        follow(
          async () => {
            inputs = await read();
            const isOver = !inputs.some(isGoingOn);
            if (!isOver) await writeReport(inputs, { ...flags, refreshSeconds: REFRESH_SECONDS });
            return isOver;
          },
          signal,
          REFRESH_SECONDS,
        ),
      );
    }
    const figures = await writeReport(inputs, flags);
    this.print(`Report written to ${flags.output}.`);
    if (flags.figures !== undefined) this.print(`${figures.length} figures in ${flags.figures}.`);
    return {
      report: flags.output,
      figures,
      inputs: inputs.map(({ kind, path }) => ({ kind, path })),
    };
  }
}
