import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { integerFlag } from '../../src/cli/flags.js';
import type { Dataset, Prompt } from '../../src/datasets/dataset.js';

/** What `--json` prints. */
interface DatasetDocument extends Omit<Dataset, 'prompts'> {
  /** In all. */
  readonly prompts: number;
  /** The first ones. */
  readonly shown: readonly Prompt[];
}

export default class DatasetShow extends BaseCommand {
  static override readonly summary = 'Show the prompts of a dataset as a model would get them.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> code',
    '<%= config.bin %> <%= command.id %> stories:calibration --limit 50',
    '<%= config.bin %> <%= command.id %> ./HumanEval.jsonl --json',
  ];
  static override readonly args = {
    ref: Args.string({ required: true, description: 'A bundled name, or a JSONL file.' }),
  };
  static override readonly flags = {
    limit: integerFlag('limit', 1)({ default: 5, summary: 'How many prompts to show.' }),
  };

  async run(): Promise<DatasetDocument> {
    const { args, flags } = await this.parse(DatasetShow);
    const { loadDataset } = await import('../../src/datasets/load.js');
    const dataset = loadDataset(args.ref);
    const shown = dataset.prompts.slice(0, flags.limit);
    const document = { ...dataset, prompts: dataset.prompts.length, shown };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async show(dataset: DatasetDocument): Promise<void> {
    const { colours } = await import('../../src/reporting/colours.js');
    const { name, split, version, hash, prompts, shown } = dataset;
    this.print(
      `${name}${split ? ` (${split})` : ''}: ${prompts} prompts, version ${version}, hash ${hash.slice(0, 12)}`,
    );
    for (const { id, prompt, stop } of shown) {
      const ends =
        stop.length > 0 ? ` stops at ${stop.map((text) => JSON.stringify(text)).join(', ')}` : '';
      this.print(`\n${colours.bold(id)}${colours.dim(ends)}\n${prompt}`);
    }
    if (shown.length < prompts)
      this.print(colours.dim(`\n${prompts - shown.length} more; --limit shows them.`));
  }
}
