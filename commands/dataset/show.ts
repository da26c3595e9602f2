import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { integerFlag } from '../../src/cli/flags.js';
import type { Dataset, Prompt } from '../../src/datasets/dataset.js';

/** What `--json` prints. */
interface DatasetDocument extends Omit<Dataset, 'prompts'> {
  /** In all. */
  readonly prompts: number;
  /** How many are counted with each name: one for a dataset alone, several for a group or a dataset with parts. */
  readonly counted_with: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly shown: readonly Prompt[];
}

export default class DatasetShow extends BaseCommand {
  static override readonly summary = 'Show the prompts of a dataset as a model would get them.';
  static override readonly description =
    "Of a conversation the user's turns are read, a system message goes before the first of them, and answers in the file are not used. The later turns are shown below the prompt; sspec eval puts the answers before them. A model with a chat template gets conversations through it.";
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> code',
    '<%= config.bin %> <%= command.id %> stories:calibration --limit 50',
    '<%= config.bin %> <%= command.id %> ./HumanEval.jsonl --json',
    '<%= config.bin %> <%= command.id %> ./questions.csv#question',
  ];
  static override readonly args = {
    ref: Args.string({
      required: true,
      description: 'A bundled name, or a JSONL, CSV (FILE.csv#COLUMN) or text file.',
    }),
  };
  static override readonly flags = {
    limit: integerFlag('limit', 1)({ default: 5, summary: 'How many prompts to show.' }),
  };

  async run(): Promise<DatasetDocument> {
    const { args, flags } = await this.parse(DatasetShow);
    const { loadDataset } = await import('../../src/datasets/load.js');
    const dataset = loadDataset(args.ref);
    const shown = dataset.prompts.slice(0, flags.limit);
    const counted_with: Record<string, number> = {};
    for (const { dataset: name } of dataset.prompts)
      counted_with[name] = (counted_with[name] ?? 0) + 1;
    const document = { ...dataset, prompts: dataset.prompts.length, counted_with, shown };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async show(dataset: DatasetDocument): Promise<void> {
    const { colours } = await import('../../src/reporting/colours.js');
    const { name, split, version, hash, prompts, shown } = dataset;
    this.print(
      `${name}${split ? ` (${split})` : ''}: ${prompts} prompts, version ${version}, hash ${hash.slice(0, 12)}`,
    );
    const parts = Object.entries(dataset.counted_with);
    if (parts.length > 1)
      this.print(`counted by ${parts.map(([part, count]) => `${part} (${count})`).join(', ')}`);
    for (const { id, prompt, stop, category, turns = [], reference } of shown) {
      const ends =
        stop.length > 0 ? ` stops at ${stop.map((text) => JSON.stringify(text)).join(', ')}` : '';
      const kind = category === undefined ? '' : ` ${category}`;
      this.print(`\n${colours.bold(id)}${colours.dim(`${kind}${ends}`)}\n${prompt}`);
      turns.slice(1).forEach((turn, i) => {
        this.print(`${colours.dim(`turn ${i + 2}:`)} ${turn}`);
      });
      if (reference !== undefined) this.print(`${colours.dim('reference:')} ${reference}`);
    }
    if (shown.length < prompts)
      this.print(colours.dim(`\n${prompts - shown.length} more; --limit shows them.`));
  }
}
