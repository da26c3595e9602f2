import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Precision } from '../graph/quantise.js';

/** What `sspec model inspect --json` prints. */
export interface ModelDocument {
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
export interface SpeedDocument {
  readonly precision: Precision;
  readonly threads: number;
  /** Positions before the timed passes. */
  readonly context: number;
  /** A pass of M tokens gives the same bits as M passes of one, so outputs are identical with any mask. */
  readonly bit_exact: boolean;
  readonly target_pass_seconds: number;
  /** v(M) = T(M) / T(1). */
  readonly verify: readonly { readonly tokens: number; readonly v: number }[];
  /** False where a pass was faster than one of fewer tokens: then the other figures are not to be trusted. */
  readonly v_rises: boolean;
  /** c with every sublayer skipped. */
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

/** What each precision costs, on the bundled texts. */
export interface QualityDocument {
  readonly dataset: string;
  readonly dataset_hash: string;
  /** Predicted positions. */
  readonly tokens: number;
  readonly precisions: readonly {
    readonly precision: Precision;
    readonly perplexity: number;
    /** Share of positions with the most probable token of fp32. */
    readonly argmax_agreement: number;
    /** Mean KL divergence from fp32, in nats. */
    readonly kl_divergence: number;
  }[];
}
