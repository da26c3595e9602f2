/**
 * Conversations: the prompt of a later turn is all that was said before, the model's own answers included, as in MT-Bench's
 * and Spec-Bench's evaluations. The answers are decoded autoregressively, once and before anything is measured, so that
 * every method gets the same prompts. Each turn is then decoded and counted as a prompt of its own.
 *
 * In a chat, conversations go through the model's chat template. Otherwise the model continues text: its prompt is the first
 * turn as the task file puts it, and a later turn follows the continuation after a blank line.
 */
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { complete } from '../decoding/generate.js';
import type { Engine } from '../engine/engine.js';
import type { PromptForm } from './prompt-form.js';
import type { EvaluationPrompt, EvaluationSettings } from './run.js';

/** What to decode later turns with, and whom to tell. */
export interface LaterTurnsRequest
  extends Pick<EvaluationSettings, 'maxNewTokens' | 'sampling' | 'coupling'> {
  readonly prompts: readonly EvaluationPrompt[];
  /** Stops between two rounds when aborted. */
  readonly signal?: AbortSignal;
  /** Called at the start and after every answer, of which there are at most `total`. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Prompts with later turns among them. */
export interface AllTurns {
  /** Later turns follow the turn before. */
  readonly prompts: readonly EvaluationPrompt[];
  /** Sentences for stderr: what was left out. */
  readonly warnings: readonly string[];
}

/**
 * Token ids of the prompt that ends with the turn after `answers`.
 * @param answers what the model said to the turns before.
 * @throws InputError when the chat template refuses the conversation.
 */
export function conversationTokens(
  tokenizer: TextTokenizer,
  form: PromptForm,
  turns: readonly string[],
  answers: readonly string[],
): number[] {
  const said = turns.slice(0, answers.length + 1);
  if (!form.chat) {
    const text = said.reduce(
      (before, turn, i) => `${before}${answers[i - 1]!.trimEnd()}\n\n${turn}`,
    );
    return tokenizer.encodePrompt(text);
  }
  const messages = said.flatMap((turn, i) => [
    { role: 'user', content: turn } as const,
    ...answers
      .slice(i, i + 1)
      .map((answer) => ({ role: 'assistant', content: answer.trim() }) as const),
  ]);
  const system =
    form.system === undefined ? [] : [{ role: 'system', content: form.system } as const];
  return tokenizer.encode(tokenizer.chat([...system, ...messages]));
}

/** How many answers {@link addLaterTurns} decodes at most. */
export function laterTurns(prompts: readonly EvaluationPrompt[]): number {
  return prompts.reduce((sum, { conversation }) => sum + (conversation?.turns.length ?? 1) - 1, 0);
}

/**
 * Adds the later turns of every conversation, decoding the answers before them. Turns that leave no room in the model's
 * context are left out, and so are those after them.
 * @throws InputError when the chat template refuses a conversation; the signal's reason when it is aborted.
 */
export async function addLaterTurns(
  { engine, tokenizer }: { engine: Engine; tokenizer: TextTokenizer | null },
  request: LaterTurnsRequest,
): Promise<AllTurns> {
  const { prompts, signal, onProgress } = request;
  const { contextLength } = engine.config;
  const total = laterTurns(prompts);
  const left = new Map<string, number>();
  const all: EvaluationPrompt[] = [];
  let done = 0;
  if (total > 0) onProgress?.(0, total);
  for (const prompt of prompts) {
    all.push(prompt);
    if (!prompt.conversation || !tokenizer) continue;
    const { id, turns, form } = prompt.conversation;
    const answers: string[] = [];
    let current = prompt;
    for (let turn = 2; turn <= turns.length; turn++) {
      const { tokens: said, stop = [] } = current;
      const { maxNewTokens, sampling, coupling } = request;
      const answer = { prompt: said, maxNewTokens, sampling, coupling, stop, tokenizer };
      const { text } = await complete(engine, answer, signal);
      answers.push(text);
      onProgress?.(++done, total);
      const tokens = conversationTokens(tokenizer, form, turns, answers);
      if (tokens.length >= contextLength) {
        left.set(prompt.dataset, (left.get(prompt.dataset) ?? 0) + turns.length - turn + 1);
        break;
      }
      const conversation = { id, turns, turn, form };
      current = { ...prompt, id: `${id}/turn-${turn}`, tokens, conversation };
      all.push(current);
    }
  }
  const warnings = [...left].map(
    ([name, count]) =>
      `Dataset "${name}": with the answers before them ${count} later turns do not fit the model's context of ${contextLength} tokens and are left out.`,
  );
  return { prompts: all, warnings };
}
