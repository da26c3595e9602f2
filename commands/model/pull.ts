import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { modelFlags } from '../../src/cli/flags.js';
import { interruptible } from '../../src/cli/interrupt.js';
import { InputError } from '../../src/errors.js';

/** What `--json` prints. */
interface ModelPullDocument {
  /** What `--model` takes. */
  readonly model: string;
  readonly commit: string;
  /** The snapshot, or the GGUF file in it. */
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly bytes: number;
  /** What was not here yet. */
  readonly received_bytes: number;
}

export default class ModelPull extends BaseCommand {
  static override readonly summary = 'Download a model from the Hugging Face Hub.';
  static override readonly description =
    `Into the cache that other tools use, too (HF_HUB_CACHE, HF_HOME): safetensors with what belongs to them, or one GGUF file; never code or pickles. Interrupted, it goes on where it was. HF_TOKEN (or hf auth login) opens gated and private models, HF_ENDPOINT names a mirror, HTTPS_PROXY a proxy.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> HuggingFaceTB/SmolLM2-135M-Instruct',
    '<%= config.bin %> <%= command.id %> org/name@v1.0',
    '<%= config.bin %> <%= command.id %> org/name-GGUF/name-Q4_K_M.gguf',
    '<%= config.bin %> <%= command.id %> org/name-GGUF --file name-Q4_K_M.gguf',
  ];
  static override readonly args = {
    ref: Args.string({ required: true, description: 'Hub id org/name[@revision][/FILE.gguf].' }),
  };
  static override readonly flags = {
    file: Flags.string({ helpValue: 'FILE', summary: 'The GGUF file, of several.' }),
    offline: modelFlags.offline,
  };

  async run(): Promise<ModelPullDocument> {
    const { args, flags } = await this.parse(ModelPull);
    const { formatHubReference, parseHubReference } = await import(
      '../../src/checkpoint/hub-reference.js'
    );
    const { downloadProgress } = await import('../../src/cli/download.js');
    const { pullModel } = await import('../../src/hub/pull.js');
    const { formatBytes } = await import('../../src/reporting/format.js');
    const hub = parseHubReference(flags.file ? `${args.ref}/${flags.file}` : args.ref);
    if (hub === null)
      throw new InputError(
        `"${args.ref}${flags.file ? `/${flags.file}` : ''}" is no Hub id: give org/name, with @revision or /FILE.gguf where wanted.`,
      );
    if (flags.offline) process.env.HF_HUB_OFFLINE = '1';
    const model = formatHubReference(hub);
    const progress = await downloadProgress(`Downloading ${model}`, flags.quiet);
    try {
      const { path, commit, files, receivedBytes } = await interruptible((signal) =>
        pullModel(hub, { ...progress.options, signal }),
      );
      progress.stop();
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      const amount = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`;
      const received = receivedBytes === 0 ? ', all of it here already' : '';
      this.print(`${model} is here (${amount}${received}): ${path}`);
      return { model, commit, path, files, bytes, received_bytes: receivedBytes };
    } finally {
      progress.stop();
    }
  }
}
