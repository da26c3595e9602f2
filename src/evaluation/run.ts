/**
 * Decodes prompts with several methods and keeps every timing. The methods take turns on each prompt, in an order that
 * rotates, so that none always runs first, after the same other one, or while the machine is at its best. Every
 * generation starts from a fresh prefill.
 */
import type { CouplingName } from '../decoding/coupling.js';
import type { DraftMemory } from '../decoding/draft-memory.js';
import { type GenerateRequest, type Generation, generate, roomFor } from '../decoding/generate.js';
import { keepDrafts, type Method, methodMemory } from '../decoding/method.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import type { DecodeStatistics } from '../decoding/statistics.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
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
   * What a method learned of the prompts before. Default: each repetition begins with nothing, so that no prompt is looked up
   * in its own earlier output, and results do not depend on what else the process did.
   */
  readonly memory?: (method: NamedMethod, repetition: number) => DraftMemory;
  /** Generations of an earlier run of the same evaluation, which are not decoded again. Default: none. */
  readonly kept?: KeptGenerations;
  /** Called at the start and after every generation, warm-up included. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Where generations are kept, so that an evaluation that was interrupted goes on where it was. */
export interface KeptGenerations {
  /** What an earlier run decoded; undefined where it did not come to that. */
  find(prompt: EvaluationPrompt, method: NamedMethod, repetition: number): Decoded | undefined;
  /** Told every generation that counts, as soon as it is over. */
  keep(sample: Sample): Promise<void>;
}

/** The rounds of one generation: element i belongs to round i, the prefill left out. */
export interface RoundRecord {
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
  readonly draftSeconds: readonly number[];
  readonly targetSeconds: readonly number[];
}

/** One generation. */
export interface Sample {
  readonly prompt: EvaluationPrompt;
  readonly method: NamedMethod;
  /** From 0. */
  readonly repetition: number;
  /** The method's place among those that decoded this prompt in this repetition, from 0. */
  readonly order: number;
  /** New tokens; repetitions with the same output share one array. */
  readonly tokens: readonly number[];
  readonly finishReason: Generation['finishReason'];
  readonly statistics: DecodeStatistics;
  readonly rounds: RoundRecord;
  /** From the first token to the end: `decodeSeconds` and what the engine spends between rounds. */
  readonly elapsedSeconds: number;
  /** Largest resident memory of the process up to the end of this generation. */
  readonly peakMemoryBytes: number;
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

/**
 * Runs all prompts through all methods. An aborted evaluation gives nothing, so that a part is never taken for a whole, unless
 * `keepFinished` asks for it.
 * @throws InputError for a prompt or an option that does not fit the model; the signal's reason when it is aborted.
 */
export async function evaluate(
  model: EvaluatedModel,
  request: EvaluationRequest,
): Promise<EvaluationResult> {
  const { prompts, repetitions, warmup, maxNewTokens, sampling, coupling } = request;
  const methods = [BASELINE, ...request.methods.filter((m) => m.method.name !== BASELINE.name)];
  const cache = cacheFor(model, prompts, maxNewTokens);
  const total = methods.length * (warmup + prompts.length * repetitions);
  const { kept } = request;
  const isKept = kept !== undefined && allKept(kept, prompts, methods, repetitions);
  const drafting = isKept ? [] : methods.map(({ method }) => method);
  // From the first generation to the last: loading is no part of any.
  const releaseDrafts = await keepDrafts(model.engine, drafting);
  let done = 0;
  request.onProgress?.(done, total);
  const memoryOf = request.memory ?? evaluationMemory();
  /** The prompt whose keys and values the cache holds. */
  let prefilled: EvaluationPrompt | undefined;
  const decode = async (prompt: EvaluationPrompt, method: NamedMethod, memory: DraftMemory) => {
    request.signal?.throwIfAborted();
    const cachedTokens = request.sharePrefill && prompt === prefilled ? prompt.tokens.length : 0;
    prefilled = prompt;
    const start = { cache, cachedTokens, memory };
    const decoded = await decodeOnce(model, start, prompt, method, request);
    request.onProgress?.(++done, total);
    return decoded;
  };

  const settings = { maxNewTokens, repetitions, warmup, sampling, coupling };
  const samples: Sample[] = [];
  try {
    for (let i = 0; i < (isKept ? 0 : warmup); i++) {
      for (const method of methods)
        await decode(prompts[i % prompts.length]!, method, methodMemory(method.method));
    }
    const outputs = new Map<EvaluationPrompt, Map<NamedMethod, readonly number[]>>();
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const [p, prompt] of prompts.entries()) {
        const first = outputs.get(prompt) ?? new Map<NamedMethod, readonly number[]>();
        outputs.set(prompt, first);
        for (let order = 0; order < methods.length; order++) {
          const method = methods[(order + p + repetition) % methods.length]!;
          const earlier = kept?.find(prompt, method, repetition);
          const decoded = earlier ?? (await decode(prompt, method, memoryOf(method, repetition)));
          const known = first.get(method) ?? decoded.tokens;
          first.set(method, known);
          const tokens = sameTokens(known, decoded.tokens) ? known : decoded.tokens;
          const sample = { prompt, method, repetition, order, ...decoded, tokens };
          samples.push(sample);
          if (earlier) request.onProgress?.(++done, total);
          else await kept?.keep(sample);
        }
      }
    }
    request.signal?.throwIfAborted();
    return { settings, prompts, methods, samples };
  } catch (error) {
    const part = request.signal?.aborted && request.keepFinished;
    const finished = part && finishedPart({ settings, prompts, methods, samples });
    if (!finished) throw error;
    return finished;
  } finally {
    await releaseDrafts();
  }
}

/** The turns that every method has had, which alone can be compared; undefined where there is none. */
function finishedPart(stopped: EvaluationResult): EvaluationResult | undefined {
  const { settings, prompts, methods } = stopped;
  const turns = Math.floor(stopped.samples.length / methods.length);
  const samples = stopped.samples.slice(0, turns * methods.length);
  if (samples.length === 0) return undefined;
  const decoded = new Set(samples.map(({ prompt }) => prompt));
  return {
    settings: { ...settings, repetitions: Math.ceil(turns / prompts.length) },
    prompts: prompts.filter((prompt) => decoded.has(prompt)),
    methods,
    samples,
    planned: { prompts, repetitions: settings.repetitions },
  };
}

/** Whether there is nothing left to decode. */
export function allKept(
  kept: KeptGenerations,
  prompts: readonly EvaluationPrompt[],
  methods: readonly NamedMethod[],
  repetitions: number,
): boolean {
  const isWhole = (prompt: EvaluationPrompt, method: NamedMethod) =>
    Array.from({ length: repetitions }, (_, r) => kept.find(prompt, method, r)).every(Boolean);
  return prompts.every((prompt) => methods.every((method) => isWhole(prompt, method)));
}

/** Memories that are made where they are asked for, one for each method and repetition. */
export function evaluationMemory(): (method: NamedMethod, repetition: number) => DraftMemory {
  const memories = new Map<NamedMethod, DraftMemory[]>();
  return (method, repetition) => {
    const ofMethod = memories.get(method) ?? [];
    memories.set(method, ofMethod);
    ofMethod[repetition] ??= methodMemory(method.method);
    return ofMethod[repetition];
  };
}

/** Whether two outputs are the same, token by token. */
export function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i]);
}

/** One cache that every generation uses again: a fresh one for each would put its allocation into the timings. */
function cacheFor(
  { engine }: Pick<Model, 'engine'>,
  prompts: readonly EvaluationPrompt[],
  maxNewTokens: number,
): KvCache {
  if (prompts.length === 0) throw new InputError('There is no prompt to evaluate; give a dataset.');
  const lengths = prompts.map(({ id, dataset, tokens }) => {
    try {
      return tokens.length + Math.min(maxNewTokens, roomFor(engine, tokens));
    } catch (error) {
      throw new InputError(`Prompt ${id} of ${dataset}: ${errorMessage(error)}`);
    }
  });
  return engine.createCache(Math.max(...lengths));
}

/** What decoding a prompt with a method came to. */
export type Decoded = Omit<Sample, 'prompt' | 'method' | 'repetition' | 'order'>;

async function decodeOnce(
  { engine, tokenizer }: EvaluatedModel,
  start: Pick<GenerateRequest, 'cache' | 'cachedTokens' | 'memory'>,
  prompt: EvaluationPrompt,
  { method }: NamedMethod,
  { maxNewTokens, sampling, coupling }: EvaluationSettings,
): Promise<Decoded> {
  const { stop = [] } = prompt;
  const running = generate(engine, {
    prompt: prompt.tokens,
    maxNewTokens,
    method,
    sampling,
    coupling,
    ...start,
    // Text is only needed to find stop texts; to make it between the rounds would cost time there.
    ...(stop.length > 0 ? { stop, tokenizer } : {}),
  });
  const rounds = {
    drafted: [] as number[],
    accepted: [] as number[],
    draftSeconds: [] as number[],
    targetSeconds: [] as number[],
  };
  let started = 0;
  for (;;) {
    const step = await running.next();
    if (step.done) {
      const elapsedSeconds = (performance.now() - started) / 1000;
      const { tokens, finishReason, statistics } = step.value;
      const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
      return { tokens, finishReason, statistics, rounds, elapsedSeconds, peakMemoryBytes };
    }
    const { round } = step.value;
    if (round?.kind === 'prefill') started = performance.now();
    if (round?.kind !== 'round') continue;
    rounds.drafted.push(round.drafted.length);
    rounds.accepted.push(round.accepted);
    rounds.draftSeconds.push(round.draftSeconds);
    rounds.targetSeconds.push(round.targetSeconds);
  }
}
