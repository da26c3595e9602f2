import { createTextStream, type TextStream } from '../checkpoint/text-stream.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import type { Engine } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import { InputError } from '../errors.js';
import { type CouplingName, createCoupling } from './coupling.js';
import type { DraftMemory } from './draft-memory.js';
import type { Drafter } from './drafter.js';
import { longestDraft, type Method, methodMemory } from './method.js';
import { processMemory } from './process-memory.js';
import { decodeRounds, type Round } from './rounds.js';
import { checkSamplingOptions, GREEDY, type SamplingOptions } from './sampling/options.js';
import { addRound, type DecodeStatistics, emptyStatistics } from './statistics.js';

/** One generation. */
export interface GenerateRequest {
  readonly prompt: readonly number[];
  /** Default 128; fewer are made where the context ends. */
  readonly maxNewTokens?: number;
  /** Default: autoregressive. `{ name: 'custom', … }` drafts with a {@link Drafter} of the caller's own. */
  readonly method?: Method;
  /** Default: greedy. */
  readonly sampling?: SamplingOptions;
  /** Default: gumbel. */
  readonly coupling?: CouplingName;
  /** Go on after an end-of-sequence token. */
  readonly ignoreEos?: boolean;
  /** Texts that end the generation where they appear; they are not part of the output. Needs a tokenizer. */
  readonly stop?: readonly string[];
  /** Turns tokens into the text of the events; without one events have no text. */
  readonly tokenizer?: TextTokenizer | null;
  /** A cache of this engine to use again; otherwise one is made. */
  readonly cache?: KvCache;
  /** Tokens of the prompt, from its first, whose keys and values `cache` holds from an earlier generation. Default: none. */
  readonly cachedTokens?: number;
  /**
   * What this method learned before, which this generation adds to ({@link methodMemory}). Default: what it learned on this
   * engine in this process.
   */
  readonly memory?: DraftMemory;
  /**
   * Tells the log-probability of every emitted token in `round.logprobs`, in the full model's own distribution (no temperature, no
   * filter), and of this many most probable tokens beside it. Default: none are told.
   */
  readonly topLogprobs?: number | undefined;
  /** Ends the generation between two rounds, once aborted: `generate` throws its reason. */
  readonly signal?: AbortSignal;
}

export type FinishReason = 'eos' | 'length' | 'stop';

/** Some text and the round that it came from. */
export interface GenerateEvent {
  /** null for text that was held back until the end. */
  readonly round: Round | null;
  /** Emitted tokens of the round that belong to the output. */
  readonly tokens: readonly number[];
  /** Text that became final. */
  readonly text: string;
}

/** What a generation came to. */
export interface Generation {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly statistics: DecodeStatistics;
}

/**
 * Checks a prompt against the model and returns how many new tokens fit the context.
 * @throws InputError for an empty prompt, ids outside the vocabulary, or a prompt that fills the context.
 */
export function roomFor(engine: Engine, prompt: readonly number[]): number {
  const { contextLength, vocabSize } = engine.config;
  if (prompt.length === 0) throw new InputError('The prompt is empty; give at least one token.');
  const bad = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (bad !== undefined) {
    throw new InputError(
      `Prompt token id ${bad} is not in the model's vocabulary (0 to ${vocabSize - 1}).`,
    );
  }
  if (prompt.length >= contextLength) {
    throw new InputError(
      `The prompt has ${prompt.length} tokens, but the model's context holds ${contextLength}, output included; shorten it.`,
    );
  }
  return contextLength - prompt.length;
}

/**
 * Decodes a prompt, yielding what every round adds, and returns the whole. The tokens do not depend on the method
 * (with greedy decoding or Gumbel coupling), only the time does.
 * @throws InputError for a prompt or options that do not fit; the reason of `request.signal` once that is aborted.
 */
export async function* generate(
  engine: Engine,
  request: GenerateRequest,
): AsyncGenerator<GenerateEvent, Generation, void> {
  const {
    prompt,
    method = { name: 'autoregressive' },
    sampling = GREEDY,
    tokenizer,
    stop = [],
    cachedTokens = 0,
    topLogprobs,
    signal,
  } = request;
  signal?.throwIfAborted();
  const wanted = request.maxNewTokens ?? 128;
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    throw new InputError(`max_new_tokens is ${wanted}: give a whole number of 1 or more.`);
  }
  checkSamplingOptions(sampling);
  if (topLogprobs !== undefined && !(Number.isSafeInteger(topLogprobs) && topLogprobs >= 0))
    throw new InputError(`top_logprobs is ${topLogprobs}: give a whole number of 0 or more.`);
  const maxNewTokens = Math.min(wanted, roomFor(engine, prompt));
  if (stop.length > 0 && !tokenizer)
    throw new InputError('Stop texts need a model with a tokenizer.');
  const eos = new Set(request.ignoreEos ? [] : engine.config.eosTokenIds);
  const coupling = createCoupling(
    request.coupling ?? 'gumbel',
    sampling,
    engine.config.vocabSize,
    longestDraft(method),
  );
  const cache = request.cache ?? engine.createCache(prompt.length + maxNewTokens);
  const learned = request.memory ?? processMemory(engine, method);
  const memory = learned.taken ? methodMemory(method) : learned;
  memory.taken = true;
  const output = createOutput(tokenizer ? createTextStream(tokenizer) : null, stop);
  const statistics = emptyStatistics();
  let finishReason: FinishReason = 'length';
  let drafter: Drafter | null = null;
  try {
    drafter = await memory.open({ engine, cache, coupling, eos });
    const rounds = decodeRounds({
      ...{ engine, cache, prompt, cachedTokens, maxNewTokens, drafter, coupling, eos, topLogprobs },
    });
    for await (const round of rounds) {
      addRound(statistics, round);
      const { tokens, text } = output.take(round.tokens);
      yield { round, tokens, text };
      if (output.stopped) {
        statistics.newTokens -= round.tokens.length - tokens.length;
        finishReason = 'stop';
        break;
      }
      if (eos.has(tokens.at(-1)!)) finishReason = 'eos';
      signal?.throwIfAborted();
    }
  } finally {
    memory.taken = false;
    await drafter?.close();
  }
  const rest = output.end();
  if (rest !== '') yield { round: null, tokens: [], text: rest };
  return { tokens: output.tokens, text: output.text, finishReason, statistics };
}

/**
 * Runs a generation to its end.
 * @throws InputError as `generate` does; the signal's reason when it is aborted between two rounds.
 */
export async function complete(
  engine: Engine,
  request: GenerateRequest,
  signal?: AbortSignal,
): Promise<Generation> {
  const running = generate(engine, request);
  for (;;) {
    signal?.throwIfAborted();
    const step = await running.next();
    if (step.done) return step.value;
  }
}

/** Gathers tokens and text, and holds text back that may be the beginning of a stop text. */
function createOutput(stream: TextStream | null, stop: readonly string[]) {
  const longest = Math.max(0, ...stop.map((text) => text.length));
  const output = {
    tokens: [] as number[],
    /** Text given out so far. */
    text: '',
    stopped: false,
    take(round: readonly number[]): { tokens: number[]; text: string } {
      const taken: number[] = [];
      let given = '';
      for (const token of round) {
        taken.push(token);
        output.tokens.push(token);
        given += give(stream?.push(token) ?? '');
        if (output.stopped) break;
      }
      return { tokens: taken, text: given };
    },
    end(): string {
      if (output.stopped) return '';
      const given = give(stream?.end() ?? '');
      const rest = output.stopped ? '' : held;
      output.text += rest;
      return given + rest;
    },
  };
  let held = '';
  /** Adds text; returns what is certain to be output. */
  const give = (more: string): string => {
    held += more;
    const at = Math.min(...stop.map((text) => held.indexOf(text)).filter((index) => index >= 0));
    output.stopped = Number.isFinite(at);
    const certain = output.stopped ? at : Math.max(0, held.length - Math.max(0, longest - 1));
    const given = held.slice(0, certain);
    held = held.slice(certain);
    output.text += given;
    return given;
  };
  return output;
}
