import type { ChatMessage } from '../checkpoint/chat-template.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { type Generator, generateChoice } from '../decoding/choice.js';
import type { FinishReason, GenerateEvent } from '../decoding/generate.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import { addRound, type DecodeStatistics, emptyStatistics } from '../decoding/statistics.js';
import { conversationTokens } from '../evaluation/conversation.js';

/** What was said, and what the model answered. */
export interface ChatTurn {
  readonly user: string;
  readonly assistant: string;
  /** `stopped`: by the user. */
  readonly finishReason: FinishReason | 'stopped';
  readonly promptTokens: number;
  /** Of those, what was known from the turns before. */
  readonly cachedTokens: number;
  readonly statistics: DecodeStatistics;
  readonly seconds: number;
}

/** How a conversation is decoded. */
export interface ChatSettings {
  readonly generator: Omit<Generator, 'metrics'>;
  readonly tokenizer: TextTokenizer;
  readonly sampling: SamplingOptions;
  readonly stop: readonly string[];
  readonly maxTokens: number;
}

/** A conversation with a model. */
export interface ChatSession {
  readonly turns: readonly ChatTurn[];
  /** The message before all others, of a model with a chat template. */
  system: string | undefined;
  /**
   * Says something and has it answered; aborted, the answer is what was made by then.
   * @throws InputError when it does not fit the context or the chat template; then nothing was said.
   */
  say(
    text: string,
    onEvent: (event: GenerateEvent) => void,
    signal: AbortSignal,
  ): Promise<ChatTurn>;
  /** Forgets what was said. */
  reset(): void;
  messages(): ChatMessage[];
}

/** Begins a conversation. Without a chat template the model goes on with the text, each turn after a blank line. */
export function createChatSession(settings: ChatSettings, system?: string): ChatSession {
  const { tokenizer, generator, sampling, stop, maxTokens } = settings;
  const turns: ChatTurn[] = [];
  const promptOf = (text: string) => {
    const { system } = session;
    const form = tokenizer.hasChatTemplate
      ? ({ chat: true, ...(system !== undefined && { system }) } as const)
      : ({ chat: false } as const);
    const said = [...turns.map(({ user }) => user), text];
    return conversationTokens(
      tokenizer,
      form,
      said,
      turns.map(({ assistant }) => assistant),
    );
  };
  const session: ChatSession = {
    turns,
    system,
    async say(text, onEvent, signal) {
      const prompt = promptOf(text);
      const told = { assistant: '', cachedTokens: 0, statistics: emptyStatistics() };
      const metrics = {
        prompt: (_: number, cached: number) => {
          told.cachedTokens = cached;
        },
        prefill: (seconds: number) => {
          told.statistics.prefillSeconds += seconds;
        },
        round: () => {},
      };
      const started = performance.now();
      const request = { prompt, maxTokens, sampling, stop };
      const running = generateChoice({ ...generator, metrics }, request, signal);
      const turn = (finishReason: ChatTurn['finishReason']): ChatTurn => {
        const seconds = (performance.now() - started) / 1000;
        return { user: text, finishReason, promptTokens: prompt.length, ...told, seconds };
      };
      let ended: ChatTurn;
      try {
        let step = await running.next();
        for (; !step.done; step = await running.next()) {
          told.assistant += step.value.text;
          if (step.value.round) addRound(told.statistics, step.value.round);
          onEvent(step.value);
        }
        told.statistics = step.value.statistics;
        ended = turn(step.value.finishReason);
      } catch (error) {
        if (!signal.aborted) throw error;
        ended = turn('stopped');
      }
      turns.push(ended);
      return ended;
    },
    reset() {
      turns.length = 0;
    },
    messages() {
      const said = turns.flatMap(({ user, assistant }): ChatMessage[] => [
        { role: 'user', content: user },
        { role: 'assistant', content: assistant },
      ]);
      const { system } = session;
      return system === undefined ? said : [{ role: 'system', content: system }, ...said];
    },
  };
  return session;
}
