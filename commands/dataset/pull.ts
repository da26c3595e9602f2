import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { modelFlags } from '../../src/cli/flags.js';
import { interruptible } from '../../src/cli/interrupt.js';
import type { PulledDataset } from '../../src/hub/pull-dataset.js';

/** What `--json` prints. */
interface DatasetPullDocument extends PulledDataset {
  readonly prompts: number;
}

export default class DatasetPull extends BaseCommand {
  static override readonly summary = 'Download a benchmark from the Hugging Face Hub.';
  static override readonly description =
    'Then --dataset takes its name. humaneval and mt-bench can be had; of others (gsm8k, mbpp, xsum, cnn-dailymail, spec-bench) it says where their files are.';
  static override readonly examples = ['<%= config.bin %> <%= command.id %> humaneval'];
  static override readonly args = {
    name: Args.string({ required: true, description: 'Name of a benchmark.' }),
  };
  static override readonly flags = { offline: modelFlags.offline };

  async run(): Promise<DatasetPullDocument> {
    const { args, flags } = await this.parse(DatasetPull);
    const { downloadProgress } = await import('../../src/cli/download.js');
    const { loadDataset } = await import('../../src/datasets/load.js');
    const { pullDataset } = await import('../../src/hub/pull-dataset.js');
    if (flags.offline) process.env.HF_HUB_OFFLINE = '1';
    const progress = await downloadProgress(`Downloading ${args.name}`, flags.quiet);
    try {
      const pulled = await interruptible((signal) =>
        pullDataset(args.name, { ...progress.options, signal }),
      );
      progress.stop();
      // Read once, so that what cannot be used is told now.
      const prompts = loadDataset(pulled.path).prompts.length;
      this.print(`${args.name} is here (${prompts} prompts): ${pulled.path}`);
      return { ...pulled, prompts };
    } finally {
      progress.stop();
    }
  }
}
