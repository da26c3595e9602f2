import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { chatFlags, integerFlag } from '../../src/cli/flags.js';
import type { ModelPrompt, ModelPrompts, modelPrompts } from '../../src/cli/model-prompts.js';
import type { Dataset, Prompt } from '../../src/datasets/dataset.js';
import { InputError } from '../../src/errors.js';

/** What `--json` prints. */
interface DatasetDocument extends Omit<Dataset, 'prompts'>, Partial<Omit<ModelPrompts, 'shown'>> {
  /** In all. */
  readonly prompts: number;
  /** How many are counted with each name: one for a dataset alone, several for a group or a dataset with parts. */
  readonly counted_with: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly shown: readonly (Prompt & Partial<ModelPrompt>)[];
}

export default class DatasetShow extends BaseCommand {
  static override readonly summary = 'Show the prompts of a dataset as a model would get them.';
  static override readonly description =
    "Of a conversation the user's turns are read, a system message goes before the first of them, and answers in the file are not used. The later turns are shown below the prompt; sspec eval puts the answers before them. A model with a chat template gets conversations through it: --model shows that, and how many tokens there are.";
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> code',
    '<%= config.bin %> <%= command.id %> stories:calibration --limit 50',
    '<%= config.bin %> <%= command.id %> ./HumanEval.jsonl --json',
    '<%= config.bin %> <%= command.id %> chat --model ./chat-model --system "Be short."',
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
    model: Flags.string({
      helpValue: 'REF',
      summary: 'Show the prompts as this model gets them, with their tokens counted.',
    }),
    ...chatFlags,
  };

  async run(): Promise<DatasetDocument> {
    const { args, flags } = await this.parse(DatasetShow);
    const { loadDataset } = await import('../../src/datasets/load.js');
    const dataset = loadDataset(args.ref);
    const shown = dataset.prompts.slice(0, flags.limit);
    const counted_with: Record<string, number> = {};
    for (const { dataset: name } of dataset.prompts)
      counted_with[name] = (counted_with[name] ?? 0) + 1;
    const { model, ...choice } = flags;
    if (model === undefined && (choice.chat !== undefined || choice.system !== undefined))
      throw new InputError(
        '--chat and --system say how a model gets the prompts; give --model too.',
      );
    const got = model === undefined ? undefined : await this.got(model, dataset, choice);
    const document = {
      ...{ ...dataset, prompts: dataset.prompts.length, counted_with, ...got },
      shown: shown.map((prompt, i) => ({ ...prompt, ...got?.shown[i] })),
    };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async got(
    model: string,
    dataset: Dataset,
    choice: Parameters<typeof modelPrompts>[2],
  ): Promise<ModelPrompts> {
    const { modelPrompts } = await import('../../src/cli/model-prompts.js');
    try {
      return await modelPrompts(model, dataset, choice);
    } catch (error) {
      if (error instanceof InputError) error.flag ??= 'model';
      throw error;
    }
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
    const { model, tokens, context_length: context, too_long: tooLong = 0 } = dataset;
    if (tokens)
      this.print(
        `${model} gets ${tokens.min} to ${tokens.max} tokens, median ${tokens.median}; its context has ${context}${tooLong > 0 ? `, and ${tooLong} prompts do not fit` : ''}`,
      );
    for (const { id, prompt, stop, category, turns = [], reference, ...got } of shown) {
      const as = got.chat_template ? ' as chat' : ' as text to be continued';
      const notes = [
        ...(category === undefined ? [] : [category]),
        ...(got.tokens === undefined ? [] : [`${got.tokens} tokens${as}`]),
        // A chat ends its answers itself.
        ...(stop.length === 0 || got.chat_template
          ? []
          : [`stops at ${stop.map((text) => JSON.stringify(text)).join(', ')}`]),
      ];
      const title = `${colours.bold(id)}${colours.dim(notes.length > 0 ? ` ${notes.join('; ')}` : '')}`;
      this.print(`\n${title}\n${got.model_text ?? prompt}`);
      turns.slice(1).forEach((turn, i) => {
        this.print(`${colours.dim(`turn ${i + 2}:`)} ${turn}`);
      });
      if (reference !== undefined) this.print(`${colours.dim('reference:')} ${reference}`);
    }
    if (shown.length < prompts)
      this.print(colours.dim(`\n${prompts - shown.length} more; --limit shows them.`));
  }
}
