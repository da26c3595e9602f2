import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { modelFlags } from '../../src/cli/flags.js';
import { precisions } from '../../src/graph/quantise.js';
import type { ModelDocument } from '../../src/reporting/model-document.js';

export default class ModelInspect extends BaseCommand {
  static override readonly summary =
    "Show a model's architecture and sizes, what it could gain here (--speed) and what a precision costs (--quality).";
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> demo',
    '<%= config.bin %> <%= command.id %> demo --speed',
    '<%= config.bin %> <%= command.id %> demo --quality',
    '<%= config.bin %> <%= command.id %> ./models/my-llama --json',
  ];
  static override readonly args = {
    ref: Args.string({
      required: true,
      description:
        'Bundled model "demo", a folder, a .gguf file, or a Hub id org/name[@revision][/FILE.gguf].',
    }),
  };

  static override readonly flags = {
    speed: Flags.boolean({
      summary:
        'Load it and time passes: the price of verifying, and the best that skipping could gain.',
    }),
    quality: Flags.boolean({
      summary:
        'Load it at every precision and compare each with fp32 on bundled text: perplexity, agreement, KL divergence.',
    }),
    precision: Flags.option({
      options: precisions,
      helpGroup: 'MODEL',
      summary: 'Precision of the weights that --speed times [default: int8].',
    })(),
    threads: modelFlags.threads,
    offline: modelFlags.offline,
  };

  async run(): Promise<ModelDocument> {
    const { args, flags } = await this.parse(ModelInspect);
    const { inspectModel } = await import('../../src/cli/inspect.js');
    const { qualityOf } = await import('../../src/cli/quality.js');
    const { speedOf } = await import('../../src/cli/speed.js');
    const { modelText } = await import('../../src/reporting/model-text.js');
    const { qualityText, speedText } = await import('../../src/reporting/speed-text.js');
    // Read where something would be downloaded.
    if (flags.offline) process.env.HF_HUB_OFFLINE = '1';
    const model = await inspectModel(args.ref, flags.quiet);
    const fitting = precisions.filter((precision) => model.bytes[precision] !== null);
    const notice = (text: string) => this.notice(text, flags.quiet);
    const document = {
      ...model,
      ...(flags.speed && { speed: await speedOf(args.ref, { ...flags, notice }) }),
      ...(flags.quality && { quality: await qualityOf(args.ref, fitting, flags) }),
    };
    this.print(modelText(document));
    if (document.speed) this.print(`\n${speedText(document.speed)}`);
    if (document.quality) this.print(`\n${qualityText(document.quality)}`);
    return document;
  }
}
