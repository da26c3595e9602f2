import { BaseCommand } from '../../src/cli/base-command.js';
import type { DatasetListing, FormatListing } from '../../src/datasets/list.js';

export default class DatasetList extends BaseCommand {
  static override readonly summary = 'List the bundled datasets and the formats that are read.';
  static override readonly description =
    'A name goes to --dataset, with a split where one is wanted (stories:calibration). A file does as well: JSONL with a prompt field or in a known form, CSV with a prompt column (or another, as FILE.csv#COLUMN), or .txt with one prompt a line.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<{
    datasets: readonly DatasetListing[];
    formats: readonly FormatListing[];
  }> {
    await this.parse(DatasetList);
    const { listDatasets, listFormats } = await import('../../src/datasets/list.js');
    const datasets = listDatasets();
    const formats = listFormats();
    if (!this.jsonEnabled()) {
      const { table } = await import('../../src/reporting/table.js');
      const { lineWidth, wrapLine } = await import('../../src/reporting/width.js');
      const count = ({ splits }: DatasetListing, wanted: string) =>
        splits.find(({ split }) => split === wanted)?.prompts;
      this.print(
        table(
          [
            { key: 'name' },
            { key: 'kind' },
            { key: 'calibration' },
            { key: 'heldout' },
            { key: 'description' },
          ],
          datasets.map((dataset) => ({
            name: dataset.name,
            kind: dataset.kind,
            calibration: count(dataset, 'calibration'),
            heldout: count(dataset, 'heldout'),
            description: dataset.description,
          })),
        ),
      );
      this.print('\nJSONL files are known by their fields:\n');
      this.print(
        table(
          [{ key: 'format' }, { key: 'kind' }, { key: 'fields' }],
          formats.map(({ name, kind, fields }) => ({
            format: name,
            kind,
            fields: fields.join(', '),
          })),
        ),
      );
      const others = [
        'CSV files (.csv) have a column "prompt", or name another as FILE.csv#COLUMN. Text files (.txt) have one prompt a line.',
        'Benchmarks are downloaded with sspec dataset pull: humaneval, mt-bench.',
      ];
      this.print(`\n${others.flatMap((line) => wrapLine(line, lineWidth())).join('\n')}`);
    }
    return { datasets, formats };
  }
}
