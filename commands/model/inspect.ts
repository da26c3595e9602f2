import { isAbsolute, relative } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import { BaseCommand } from '../../src/cli/base-command.js';
import { modelFlags } from '../../src/cli/flags.js';
import type { QualityDocument } from '../../src/cli/quality.js';
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
  /** Whether `--chat` can be used. */
  readonly chat_template: boolean;
  /** With --speed. */
  readonly speed?: SpeedDocument;
  /** With --quality. */
  readonly quality?: QualityDocument;
}

/** What passes cost here, and the most that skipping could gain. */
interface SpeedDocument {
  readonly precision: Precision;
  readonly threads: number;
  /** Positions before the timed passes. */
  readonly context: number;
  /** A pass of M tokens gives the same bits as M passes of one, so outputs are identical with any mask. */
  readonly bit_exact: boolean;
  readonly target_pass_seconds: number;
  /** v(M) = T(M) / T(1). */
  readonly verify: readonly { readonly tokens: number; readonly v: number }[];
  /** c with every sublayer skipped. */
  /** False where a pass was faster than one of fewer tokens: then the other figures are not to be trusted. */
  readonly v_rises: boolean;
  readonly c_floor: number;
  readonly c_without_attention: number;
  readonly c_without_mlp: number;
  /** At the floor of c with every drafted token accepted: no mask can be faster. */
  readonly best_possible: { readonly speedup: number; readonly draft_length: number };
  /** Expected speedups at the best draft length. */
  readonly expected: readonly {
    readonly acceptance: number;
    readonly c: number;
    readonly speedup: number;
  }[];
}

/** Seconds that --speed times passes for. */
const SPEED_SECONDS = 20;

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
      description: 'Bundled model "demo", a folder, or a Hub id org/name[@revision].',
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
    precision: modelFlags.precision,
    threads: modelFlags.threads,
  };

  async run(): Promise<ModelDocument> {
    const { args, flags } = await this.parse(ModelInspect);
    const { resolveModel } = await import('../../src/checkpoint/resolve.js');
    const { openCheckpoint } = await import('../../src/checkpoint/open-checkpoint.js');
    const { modelTensors } = await import('../../src/checkpoint/model-tensors.js');
    const { parameterCount } = await import('../../src/graph/parameters.js');
    const { compiledBytes, kvCacheBytes } = await import('../../src/graph/size.js');
    const { inspectTokenizer } = await import('../../src/checkpoint/tokenizer.js');

    const directory = await resolveModel(args.ref);
    const checkpoint = openCheckpoint(directory);
    // Refuses a checkpoint whose tensors are not those of its architecture.
    modelTensors(checkpoint);
    const { config } = checkpoint;
    const tokenizer = inspectTokenizer(directory);
    const tensors = [...checkpoint.tensors.values()];
    const [fp32, int8, int4] = precisions.map((precision) => compiledBytes(checkpoint, precision));
    const bytes = { fp32, int8, int4 };
    const document: ModelDocument = {
      model: args.ref,
      directory: fromHere(directory),
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
      bytes,
      kv_cache_bytes: kvCacheBytes(config),
      tokenizer: tokenizer !== null,
      chat_template: tokenizer?.hasChatTemplate ?? false,
      ...(flags.speed ? { speed: await this.measure(args.ref, flags) } : {}),
      ...(flags.quality ? { quality: await this.compare(args.ref, bytes, flags) } : {}),
    };
    if (!this.jsonEnabled()) {
      await this.show(document);
      if (document.speed) await this.showSpeed(document.speed);
      if (document.quality) await this.showQuality(document.quality);
    }
    return document;
  }

  private async measure(
    ref: string,
    flags: {
      precision: Precision | undefined;
      threads: number | undefined;
      quiet: boolean;
    },
  ): Promise<SpeedDocument> {
    const { loadModelWithProgress } = await import('../../src/cli/load.js');
    const { checkExactness } = await import('../../src/cli/exactness.js');
    const { bestExpectedSpeedup, fallingPass, measurePassSpeed } = await import(
      '../../src/measurement/pass-speed.js'
    );
    const { busyWarning } = await import('../../src/measurement/busy.js');
    const { createProgress } = await import('../../src/reporting/progress.js');
    const { precision, threads, quiet } = flags;
    const busy = await busyWarning();
    if (busy !== undefined) this.notice(busy, quiet);
    const model = await loadModelWithProgress({
      ...{ model: ref, precision, threads, quiet },
      ...{ device: 'cpu', offline: false },
    });
    const { engine } = model;
    const progress = createProgress({ label: 'Timing passes', total: 100, unit: '%', quiet });
    try {
      const speed = await measurePassSpeed(engine, SPEED_SECONDS, (share) =>
        progress.update(Math.floor(100 * share)),
      );
      const { exact } = await checkExactness(engine, quiet);
      const best = bestExpectedSpeedup(speed, 1, speed.cFloor);
      const costs = [0.3, 0.4, 0.5, 0.6].filter((c) => c > speed.cFloor);
      return {
        precision: engine.model.precision,
        threads: engine.threads,
        context: speed.context,
        bit_exact: exact,
        target_pass_seconds: speed.targetSeconds,
        verify: speed.verify.map(({ tokens, v }) => ({ tokens, v })),
        v_rises: fallingPass(speed.verify) === null,
        c_floor: speed.cFloor,
        c_without_attention: speed.cWithoutAttention,
        c_without_mlp: speed.cWithoutMlp,
        best_possible: { speedup: best.speedup, draft_length: best.draftLength },
        expected: [0.8, 0.9, 0.95].flatMap((acceptance) =>
          costs.map((c) => {
            return { acceptance, c, speedup: bestExpectedSpeedup(speed, acceptance, c).speedup };
          }),
        ),
      };
    } finally {
      progress.stop();
      await model.close();
    }
  }

  private async compare(
    ref: string,
    bytes: ModelDocument['bytes'],
    flags: { threads: number | undefined; quiet: boolean },
  ): Promise<QualityDocument> {
    const { qualityOf } = await import('../../src/cli/quality.js');
    const fitting = precisions.filter((precision) => bytes[precision] !== null);
    return qualityOf(ref, fitting, flags);
  }

  private async showQuality(quality: QualityDocument): Promise<void> {
    const { table } = await import('../../src/reporting/table.js');
    this.print(`
Against fp32 on the bundled ${quality.dataset} texts, ${quality.tokens} tokens:`);
    this.print(
      table(
        [
          { key: 'precision' },
          { key: 'perplexity', align: 'right' },
          { key: 'agreement', title: 'same top token', align: 'right' },
          { key: 'kl', title: 'KL divergence', align: 'right' },
        ],
        quality.precisions.map((row) => ({
          precision: row.precision,
          perplexity: row.perplexity.toFixed(2),
          agreement: `${(100 * row.argmax_agreement).toFixed(1)}%`,
          kl: row.kl_divergence.toFixed(4),
        })),
      ),
    );
  }

  private async showSpeed(speed: SpeedDocument): Promise<void> {
    const { table } = await import('../../src/reporting/table.js');
    const { formatSeconds, formatSpeedup } = await import('../../src/reporting/format.js');
    const costs = [...new Set(speed.expected.map(({ c }) => c))];
    const acceptances = [...new Set(speed.expected.map(({ acceptance }) => acceptance))];
    const verify = speed.verify.map(({ tokens, v }) => `${tokens}: ${v.toFixed(2)}`).join('  ');
    const { best_possible: best } = speed;
    const { fallingPass } = await import('../../src/measurement/pass-speed.js');
    const falling = fallingPass(speed.verify);
    const doubt = falling
      ? `\nA pass of ${falling.tokens} tokens was faster than one of ${falling.fewer}, which cannot be: the machine was busy or changed its speed. Trust none of\nthese figures; try again when it is quiet.`
      : '';
    this.print(`
${speed.precision}, ${speed.threads} threads, after ${speed.context} positions:
autoregressive decoding takes ${formatSeconds(speed.target_pass_seconds)} a token
v(M), a pass of M tokens over a pass of one:
  ${verify}${doubt}
c, a draft pass over a target pass: ${speed.c_floor.toFixed(2)} with every sublayer skipped,
  ${speed.c_without_attention.toFixed(2)} without attention, ${speed.c_without_mlp.toFixed(2)} without MLP
${speed.bit_exact ? 'A pass of M tokens gives the same bits as M passes of one: outputs are identical.' : 'Passes of one and of several tokens differ in bits here: outputs can differ at near-ties.'}
No mask can gain more than ${formatSpeedup(best.speedup)} (every drafted token accepted, c at its floor, drafts of ${best.draft_length}).

Expected speedup at the best draft length, by draft acceptance and c:`);
    this.print(
      table(
        [
          { key: 'acceptance' },
          ...costs.map((c) => ({ key: String(c), title: `c = ${c}`, align: 'right' as const })),
        ],
        acceptances.map((acceptance) => ({
          acceptance: String(acceptance),
          ...Object.fromEntries(
            speed.expected
              .filter((cell) => cell.acceptance === acceptance)
              .map(({ c, speedup }) => [String(c), formatSpeedup(speedup)]),
          ),
        })),
      ),
    );
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
      ['chat template', model.chat_template ? 'yes: --chat applies it' : 'none'],
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

/** A folder below the working directory by its path from there, which says nothing of the machine; others whole. */
function fromHere(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? directory : path;
}
