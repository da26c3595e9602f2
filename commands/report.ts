import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { storageFlag } from '../src/cli/storage-flag.js';

/** What `--json` prints. */
interface ReportDocument {
  /** The page's file. */
  readonly report: string;
  /** The figures' files; none without `--figures`. */
  readonly figures: readonly string[];
  readonly inputs: readonly { readonly kind: string; readonly path: string }[];
}

export default class Report extends BaseCommand {
  static override readonly summary = 'Make a page of evaluations, studies and profiles.';
  static override readonly description =
    'One HTML file without scripts or anything from elsewhere: speedups with their intervals, mask, search trace, acceptance, where the time went, texts side by side, environment and the commands to reproduce.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> results/',
    '<%= config.bin %> <%= command.id %> my-study results/ profile.json --output page.html',
    '<%= config.bin %> <%= command.id %> results/ --figures figures/',
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
    ...storageFlag,
  };

  async run(): Promise<ReportDocument> {
    const { args, flags } = await this.parse(Report);
    const { openStorage } = await import('../src/cli/storage.js');
    const { readReportInputs } = await import('../src/reporting/report/inputs.js');
    const { writeReport } = await import('../src/reporting/report/write.js');
    const storage = openStorage(flags.storage);
    const inputs = (
      await Promise.all(args.path.map((path) => readReportInputs(path, storage)))
    ).flat();
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
