import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import type { Dataset, Prompt } from '../datasets/dataset.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { conversationTokens } from './conversation.js';
import { type ChatChoice, type PromptForm, promptForm } from './prompt-form.js';
import type { EvaluationPrompt } from './run.js';

/** Which prompts an evaluation used, as its document says it. */
export interface DatasetRecord {
  readonly name: string;
  readonly split: string | null;
  readonly version: number;
  readonly hash: string;
  /** Prompts that were used, conversations counted once. */
  readonly prompts: number;
  /** Its prompts went through the model's chat template; absent where they are text to be continued. */
  readonly chat_template?: true;
  /** The system message before them. */
  readonly system?: string;
}

/** Prompts as token ids. */
export interface TokenizedPrompts {
  readonly prompts: readonly EvaluationPrompt[];
  readonly datasets: readonly DatasetRecord[];
  /** Sentences for stderr: what was left out. */
  readonly warnings: readonly string[];
}

/**
 * Turns datasets into prompts for a model: of conversations the first turn, see `addLaterTurns`. Prompts that leave no
 * room in its context are left out.
 * @param limit most prompts of each dataset, a group's members and a dataset's parts counting apart; undefined is all.
 * @param choice whether prompts are messages of a chat.
 * @throws InputError when the model has no tokenizer or no chat template for a chat, a prompt comes twice, or no prompt of a dataset fits.
 */
export function tokenizePrompts(
  model: Model,
  datasets: readonly Dataset[],
  limit: number | undefined,
  choice: ChatChoice = {},
): TokenizedPrompts {
  const tokenizer = needTokenizer(model);
  const { contextLength } = model.engine.config;
  const seen = new Set<string>();
  const warnings: string[] = [];
  const all: EvaluationPrompt[] = [];
  const records = datasets.map(({ name, split, version, hash, prompts }): DatasetRecord => {
    let used = 0;
    const counts = new Map<string, number>();
    const left = new Map<string, number>();
    let chat = false;
    for (const prompt of prompts) {
      const { id, dataset, category, stop } = prompt;
      const key = JSON.stringify([dataset, id]);
      if (seen.has(key)) {
        throw new InputError(
          `Dataset "${name}": prompt ${id} of "${dataset}" is in another dataset of that name too; name each dataset once, and files differently.`,
        );
      }
      seen.add(key);
      const count = counts.get(dataset) ?? 0;
      if (count === limit) continue;
      const { form, said, tokens } = firstTurn(prompt, choice, tokenizer);
      if (tokens.length >= contextLength) {
        left.set(dataset, (left.get(dataset) ?? 0) + 1);
        continue;
      }
      counts.set(dataset, count + 1);
      used++;
      chat ||= form.chat;
      all.push({
        id,
        dataset,
        tokens,
        ...(category === undefined ? {} : { category }),
        // A chat model ends its answer itself.
        ...(stop.length > 0 && !form.chat ? { stop } : {}),
        ...(said.length > 1 ? { conversation: { id, turns: said, turn: 1, form } } : {}),
      });
    }
    const room = `the model's context of ${contextLength} tokens`;
    if (used === 0) throw new InputError(`Dataset "${name}": no prompt fits ${room}.`);
    if (left.size > 0) warnings.push(`Dataset "${name}": ${leftOut(name, left, room)}`);
    const { system } = choice;
    const asChat = chat && {
      chat_template: true as const,
      ...(system !== undefined && { system }),
    };
    return { name, split, version, hash, prompts: used, ...asChat };
  });
  return { prompts: all, datasets: records, warnings };
}

/** What a model gets of a prompt, of a conversation its first turn. */
export interface FirstTurn {
  readonly form: PromptForm;
  /** All that the user says, turn by turn. */
  readonly said: readonly string[];
  readonly tokens: readonly number[];
}

/** @throws InputError as `promptForm`, or when the chat template refuses the conversation. */
export function firstTurn(
  { prompt, turns }: Prompt,
  choice: ChatChoice,
  tokenizer: TextTokenizer,
): FirstTurn {
  const form = promptForm(choice, turns !== undefined, tokenizer);
  const said = form.chat && turns ? turns : [prompt, ...(turns ?? []).slice(1)];
  return { form, said, tokens: conversationTokens(tokenizer, form, said, []) };
}

/** @throws InputError when the model has none. */
export function needTokenizer({
  tokenizer,
  reference,
}: Pick<Model, 'tokenizer' | 'reference'>): TextTokenizer {
  if (tokenizer) return tokenizer;
  throw new InputError(
    `The model ${reference} has no tokenizer.json, and datasets are text; use a model that has one.`,
  );
}

/** How many prompts were left out, and of which members or parts where the dataset has some. */
function leftOut(name: string, left: ReadonlyMap<string, number>, room: string): string {
  const count = [...left.values()].reduce((sum, n) => sum + n, 0);
  const parts = [...left].map(([part, n]) => `${part} ${n}`).join(', ');
  const where = left.size === 1 && left.has(name) ? '' : ` (${parts})`;
  return `${count} prompts do not fit ${room} and are left out${where}.`;
}
