import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Args } from '@oclif/core';
import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import { BaseCommand } from '../../src/cli/base-command.js';
import { type Precision, precisions } from '../../src/graph/quantise.js';

/** What `--json` prints. */
interface ModelDocument {
  readonly model: string;
  readonly directory: string;
  readonly architecture: ModelConfig['modelType'];
  readonly layers: number;
  /** 2 per layer: what a mask has a bit for. */
  readonly sublayers: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly context_length: number;
  readonly sliding_window: number | null;
  readonly tied_embeddings: boolean;
  readonly eos_token_ids: readonly number[];
  /** Of the matrices and the embedding. */
  readonly parameters: number;
  readonly stored_bytes: number;
  readonly stored_dtypes: readonly string[];
  /** Of the compiled matrices; null where the precision does not fit the model's sizes. */
  readonly bytes: Readonly<Record<Precision, number | null>>;
  /** Keys and values of a full context. */
  readonly kv_cache_bytes: number;
  readonly tokenizer: boolean;
}

export default class ModelInspect extends BaseCommand {
  static override readonly summary = "Show a model's architecture and sizes, without loading it.";
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> demo',
    '<%= config.bin %> <%= command.id %> ./models/my-llama --json',
  ];
  static override readonly args = {
    ref: Args.string({
      required: true,
      description: 'Bundled model "demo", a folder, or a Hub id org/name[@revision].',
    }),
  };

  async run(): Promise<ModelDocument> {
    const { args } = await this.parse(ModelInspect);
    const { resolveModel } = await import('../../src/checkpoint/resolve.js');
    const { openCheckpoint } = await import('../../src/checkpoint/safetensors.js');
    const { llamaTensors } = await import('../../src/checkpoint/llama-tensors.js');
    const { parameterCount } = await import('../../src/graph/compile.js');
    const { compiledBytes, kvCacheBytes } = await import('../../src/graph/size.js');

    const directory = await resolveModel(args.ref);
    const checkpoint = openCheckpoint(directory);
    // Refuses a checkpoint whose tensors are not those of its architecture.
    llamaTensors(checkpoint);
    const { config } = checkpoint;
    const tensors = [...checkpoint.tensors.values()];
    const [fp32, int8, int4] = precisions.map((precision) => compiledBytes(config, precision));
    const document: ModelDocument = {
      model: args.ref,
      directory,
      architecture: config.modelType,
      layers: config.layers,
      sublayers: 2 * config.layers,
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      heads: config.heads,
      kv_heads: config.kvHeads,
      head_dim: config.headDim,
      vocab_size: config.vocabSize,
      context_length: config.contextLength,
      sliding_window: config.slidingWindow,
      tied_embeddings: config.tiedEmbeddings,
      eos_token_ids: config.eosTokenIds,
      parameters: parameterCount(config),
      stored_bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
      stored_dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
      bytes: { fp32, int8, int4 },
      kv_cache_bytes: kvCacheBytes(config),
      tokenizer: existsSync(join(directory, 'tokenizer.json')),
    };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async show(model: ModelDocument): Promise<void> {
    const { table } = await import('../../src/reporting/table.js');
    const { formatBytes } = await import('../../src/reporting/format.js');
    const sizes = precisions.flatMap((precision) => {
      const bytes = model.bytes[precision];
      return bytes === null ? [] : [`${precision} ${formatBytes(bytes)}`];
    });
    const rows: [string, string][] = [
      ['folder', model.directory],
      ['architecture', model.architecture],
      [
        'layers',
        `${model.layers}, so ${model.sublayers} sublayers that a draft can skip (attention and MLP)`,
      ],
      ['hidden size', `${model.hidden_size}, MLP ${model.intermediate_size}`],
      ['heads', `${model.heads} of ${model.head_dim}, ${model.kv_heads} for keys and values`],
      [
        'vocabulary',
        `${model.vocab_size}, embedding ${model.tied_embeddings ? 'shared with' : 'apart from'} the head`,
      ],
      [
        'context',
        `${model.context_length} tokens${model.sliding_window ? `, window ${model.sliding_window}` : ''}`,
      ],
      ['parameters', `${(model.parameters / 1e6).toFixed(1)} million`],
      ['stored', `${formatBytes(model.stored_bytes)} of ${model.stored_dtypes.join(', ')}`],
      ['compiled', sizes.join(', ')],
      ['cache of a full context', formatBytes(model.kv_cache_bytes)],
      ['tokenizer', model.tokenizer ? 'yes' : 'none: prompts are token ids (--prompt-ids)'],
    ];
    this.print(
      table(
        [
          { key: 'what', title: model.model },
          { key: 'value', title: '' },
        ],
        rows.map(([what, value]) => ({ what, value })),
      ),
    );
  }
}
