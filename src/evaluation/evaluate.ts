/**
 * Decodes prompts with several methods and keeps every timing. The methods take turns on each prompt, in an order that
 * rotates, so that none always runs first, after the same other one, or while the machine is at its best. Every
 * generation starts from a fresh prefill.
 */
import type { DraftMemory } from '../decoding/draft-memory.js';
import { roomFor } from '../decoding/generate.js';
import { keepDrafts, methodMemory } from '../decoding/method.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { decodeOnce, learnFrom } from './decode-once.js';
import {
  BASELINE,
  type EvaluatedModel,
  type EvaluationPrompt,
  type EvaluationRequest,
  type EvaluationResult,
  type KeptGenerations,
  type NamedMethod,
  type Sample,
} from './run.js';

/**
 * Runs all prompts through all methods. An aborted evaluation gives nothing, so that a part is never taken for a whole, unless
 * `keepFinished` asks for it.
 * @throws InputError for a prompt or an option that does not fit the model; the signal's reason when it is aborted.
 */
export async function evaluate(
  model: EvaluatedModel,
  request: EvaluationRequest,
): Promise<EvaluationResult> {
  const { prompts, repetitions, warmup, maxNewTokens, sampling, coupling, kept } = request;
  const methods = [BASELINE, ...request.methods.filter((m) => m.method.name !== BASELINE.name)];
  const cache = cacheFor(model, prompts, maxNewTokens);
  const planned = methods.length * prompts.length * repetitions;
  let done = kept ? keptCount(kept, prompts, methods, repetitions) : 0;
  const isWhole = done === planned;
  const total = planned + methods.length * (isWhole ? 0 : warmup);
  // From the first generation to the last: loading is no part of any.
  const releaseDrafts = await keepDrafts(
    model.engine,
    isWhole ? [] : methods.map(({ method }) => method),
  );
  request.onProgress?.(done, total);
  const memoryOf = request.memory ?? evaluationMemory();
  /** The prompt whose keys and values the cache holds. */
  let prefilled: EvaluationPrompt | undefined;
  const decode = async (prompt: EvaluationPrompt, method: NamedMethod, memory: DraftMemory) => {
    request.signal?.throwIfAborted();
    const cachedTokens = request.sharePrefill && prompt === prefilled ? prompt.tokens.length : 0;
    prefilled = prompt;
    const start = { cache, cachedTokens, memory };
    const decoded = await decodeOnce(model, start, prompt, method.method, request);
    request.onProgress?.(++done, total);
    return decoded;
  };

  const settings = { maxNewTokens, repetitions, warmup, sampling, coupling };
  const samples: Sample[] = [];
  try {
    for (let i = 0; i < (isWhole ? 0 : warmup); i++) {
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
          const memory = memoryOf(method, repetition, prompt);
          const earlier = kept?.find(prompt, method, repetition);
          if (earlier) await learnFrom(model, earlier, prompt, method.method, memory, request);
          const decoded = earlier ?? (await decode(prompt, method, memory));
          const known = first.get(method) ?? decoded.tokens;
          first.set(method, known);
          const tokens = sameTokens(known, decoded.tokens) ? known : decoded.tokens;
          const sample = { ...decoded, prompt, method, repetition, order, tokens };
          samples.push(sample);
          if (!earlier) await kept?.keep(sample);
        }
      }
    }
    request.signal?.throwIfAborted();
    return { settings, prompts, methods, samples };
  } catch (error) {
    const part = request.signal?.aborted && request.keepFinished;
    const ended = part && finishedPart({ settings, prompts, methods, samples });
    if (!ended) throw error;
    return ended;
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

/** How many generations of an evaluation are kept. */
export function keptCount(
  kept: KeptGenerations,
  prompts: readonly EvaluationPrompt[],
  methods: readonly NamedMethod[],
  repetitions: number,
): number {
  let count = 0;
  for (const prompt of prompts)
    for (const method of methods)
      for (let repetition = 0; repetition < repetitions; repetition++)
        if (kept.find(prompt, method, repetition)) count++;
  return count;
}

/** Memories that are made where they are asked for, one for each method, repetition and cell. */
export function evaluationMemory(): NonNullable<EvaluationRequest['memory']> {
  const memories = new Map<NamedMethod, Map<string, DraftMemory>>();
  return (method, repetition, { cell }) => {
    const ofMethod = memories.get(method) ?? new Map<string, DraftMemory>();
    memories.set(method, ofMethod);
    const key = `${repetition} ${cell?.name ?? ''}`;
    const memory = ofMethod.get(key) ?? methodMemory(method.method);
    ofMethod.set(key, memory);
    return memory;
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
  const lengths = prompts.map(({ id, dataset, tokens, maxNewTokens: own = maxNewTokens }) => {
    try {
      return tokens.length + Math.min(own, roomFor(engine, tokens));
    } catch (error) {
      throw new InputError(`Prompt ${id} of ${dataset}: ${errorMessage(error)}`);
    }
  });
  return engine.createCache(Math.max(...lengths));
}
