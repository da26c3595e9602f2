/** A run of an evaluation: the prompts and methods that it is asked for, and the generations that it gives. */
import type { CouplingName } from '../decoding/coupling.js';
import type { DraftMemory } from '../decoding/draft-memory.js';
import type { Method } from '../decoding/method.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import type { Model } from '../engine/load-model.js';
import type { Decoded } from './decode-once.js';
import type { PromptForm } from './prompt-form.js';

/** The conversation that a prompt is a turn of. */
export interface Conversation {
  /** The id of its first turn. */
  readonly id: string;
  /** What the user says, turn by turn; the first as the task file puts it. */
  readonly turns: readonly string[];
  /** Which of them the prompt ends with, from 1. */
  readonly turn: number;
  readonly form: PromptForm;
}

/** A prompt of a dataset. */
export interface EvaluationPrompt {
  readonly id: string;
  /** The dataset or kind that it is counted with. */
  readonly dataset: string;
  readonly tokens: readonly number[];
  /** The benchmark's own category of it, for the samples. */
  readonly category?: string;
  /** Texts that end its output; they need a model with a tokenizer. Default: none. */
  readonly stop?: readonly string[];
  /** The conversation that it is a turn of, where that has several. */
  readonly conversation?: Conversation;
  /** Most new tokens, where it has a limit of its own. */
  readonly maxNewTokens?: number;
  /** The cell of a grid that it is in: one prompt is in several, under the dataset's name with the cell's. */
  readonly cell?: { readonly name: string; readonly dataset: string };
}

/** A method under the name that results show. */
export interface NamedMethod {
  readonly name: string;
  readonly method: Method;
  /** The profile's file, for a method that comes from one. */
  readonly profile?: string;
}

/** Plain decoding: part of every evaluation, because speedups and outputs are held against it. */
export const BASELINE: NamedMethod = {
  name: 'autoregressive',
  method: { name: 'autoregressive' },
};

/** How prompts are decoded. */
export interface EvaluationSettings {
  readonly maxNewTokens: number;
  /** Generations of every prompt with every method. */
  readonly repetitions: number;
  /** Generations of every method before the first that counts. */
  readonly warmup: number;
  readonly sampling: SamplingOptions;
  readonly coupling: CouplingName;
}

/** What to evaluate. */
export interface EvaluationRequest extends EvaluationSettings {
  readonly prompts: readonly EvaluationPrompt[];
  /** The methods besides {@link BASELINE}, which is added where it is missing. */
  readonly methods: readonly NamedMethod[];
  /**
   * Prefill a prompt for the first method that decodes it, and let the others begin from there: the same bits in less time.
   * Prefill times then are those of the first alone. Default: each prefills for itself.
   */
  readonly sharePrefill?: boolean;
  /** Stops between two generations when aborted. */
  readonly signal?: AbortSignal;
  /** When aborted, give what was finished by then, if anything was ({@link EvaluationResult.planned}). Default: nothing. */
  readonly keepFinished?: boolean;
  /**
   * What a method learned of the prompts before. Default: each repetition, and in it each cell of a grid, begins with nothing, so
   * that no prompt is looked up in its own earlier output, and results do not depend on what else the process did.
   */
  readonly memory?: (
    method: NamedMethod,
    repetition: number,
    prompt: EvaluationPrompt,
  ) => DraftMemory;
  /**
   * Generations of an earlier run of the same evaluation, which are not decoded again. Methods learn from them, as if it had been
   * one run. Default: none.
   */
  readonly kept?: KeptGenerations | undefined;
  /** Called at the start and after every generation, warm-up included. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Where generations are kept, so that an evaluation that was interrupted goes on where it was. */
export interface KeptGenerations {
  /** What an earlier run decoded; undefined where it did not come to that. */
  find(prompt: EvaluationPrompt, method: NamedMethod, repetition: number): Decoded | undefined;
  /** Told every generation that counts and was not found, as soon as it is over. */
  keep(sample: Sample): void | Promise<void>;
}

/** One generation. */
export interface Sample extends Decoded {
  readonly prompt: EvaluationPrompt;
  readonly method: NamedMethod;
  /** From 0. */
  readonly repetition: number;
  /** The method's place among those that decoded this prompt in this repetition, from 0. */
  readonly order: number;
}

/** All generations of an evaluation. */
export interface EvaluationResult {
  readonly settings: EvaluationSettings;
  readonly prompts: readonly EvaluationPrompt[];
  /** {@link BASELINE} first. */
  readonly methods: readonly NamedMethod[];
  /** In the order in which they ran. */
  readonly samples: readonly Sample[];
  /** What an aborted evaluation was to decode; the other fields tell what it did. Absent where it ran to the end. */
  readonly planned?: Pick<EvaluationRequest, 'prompts' | 'repetitions'>;
}

/** The parts of a model that decode. */
export type EvaluatedModel = Pick<Model, 'engine' | 'tokenizer'>;
