import { segmentRoom } from '../engine/engine.js';
import type { Model } from '../engine/load-model.js';
import type { Conversation, Conversations } from './conversations.js';
import type { CouplingName } from './coupling.js';
import { type GenerateEvent, type Generation, generate, roomFor } from './generate.js';
import type { Method } from './method.js';
import type { Round } from './rounds.js';
import type { SamplingOptions } from './sampling/options.js';

/** Who is told of a generation as it goes. */
export interface GenerationObserver {
  /** A prompt of so many tokens, of which so many were known. */
  prompt(tokens: number, cached: number): void;
  /** Seconds of a prompt's passes that no round tells of. */
  prefill(seconds: number): void;
  /** A round, and how many of its tokens belong to the output. */
  round(round: Round, tokens: number): void;
}

/** What every generation of a server or a chat runs with. */
export interface Generator {
  readonly model: Pick<Model, 'engine' | 'tokenizer'>;
  readonly method: Method;
  readonly coupling: CouplingName;
  readonly conversations: Conversations;
  readonly metrics: GenerationObserver;
}

/** One choice of an answer. */
export interface ChoiceRequest {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly sampling: SamplingOptions;
  readonly stop: readonly string[];
  readonly topLogprobs?: number | undefined;
}

/** A generation, and how much of its prompt was known from before. */
export interface Choice extends Generation {
  readonly cachedTokens: number;
}

/**
 * Decodes one choice in the cache of the conversation that it goes on with. It ends between two passes of the prompt or two
 * rounds once the signal is aborted; what the cache holds by then is kept.
 */
export async function* generateChoice(
  { model: { engine, tokenizer }, method, coupling, conversations, metrics }: Generator,
  { prompt, maxTokens, sampling, stop, topLogprobs }: ChoiceRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, Choice, void> {
  const maxNewTokens = Math.min(maxTokens, roomFor(engine, prompt));
  const conversation = conversations.take(prompt, prompt.length + maxNewTokens);
  // The last token of a prompt always runs.
  const cachedTokens = Math.min(conversation.held.length, prompt.length - 1);
  metrics.prompt(prompt.length, cachedTokens);
  let running: ReturnType<typeof generate> | undefined;
  try {
    const started = performance.now();
    for await (const at of prefillPasses(engine, conversation, prompt)) {
      hold(conversation, prompt, at);
      signal.throwIfAborted();
    }
    const seconds = (performance.now() - started) / 1000;
    metrics.prefill(seconds);
    const sequence = [...prompt];
    running = generate(engine, {
      ...{ prompt, method, coupling, sampling, stop, tokenizer, maxNewTokens, signal },
      topLogprobs,
      cache: conversation.cache,
      cachedTokens: conversation.held.length,
    });
    for (;;) {
      const step = await running.next();
      if (step.done) {
        const { statistics } = step.value;
        const prefillSeconds = seconds + statistics.prefillSeconds;
        return { ...step.value, statistics: { ...statistics, prefillSeconds }, cachedTokens };
      }
      const { round } = step.value;
      if (round) {
        sequence.push(...round.tokens);
        // The next round would add the last token's keys and values.
        hold(conversation, sequence, sequence.length - 1);
        metrics.round(round, step.value.tokens.length);
      }
      yield step.value;
    }
  } finally {
    // Where nobody reads on: what a generation has is free again.
    await running?.return(undefined as never);
    conversations.give(conversation);
  }
}

/** The passes of `engine.prefill` but for the last, one by one; yields up to which position the cache is filled. */
async function* prefillPasses(
  engine: Model['engine'],
  { cache, held }: Conversation,
  prompt: readonly number[],
): AsyncGenerator<number, void, void> {
  let at = Math.min(held.length, prompt.length - 1);
  for (let end = at + segmentRoom(at); end < prompt.length; end = at + segmentRoom(at)) {
    await engine.forward(cache, prompt.slice(at, end), at, engine.target, 'last');
    at = end;
    yield at;
  }
}

/** Notes that the cache holds a sequence up to a position. */
function hold({ held }: Conversation, sequence: readonly number[], end: number): void {
  for (let at = held.length; at < end; at++) held.push(sequence[at]!);
}
