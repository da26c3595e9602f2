import { median } from 'simple-statistics';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { loadTokenizer } from '../checkpoint/tokenizer.js';
import type { Dataset } from '../datasets/dataset.js';
import { InputError } from '../errors.js';
import type { ChatChoice } from '../evaluation/prompt-form.js';
import { firstTurn } from '../evaluation/prompts.js';
import { obtainWithProgress } from './download.js';

/** A prompt as a model gets it. */
export interface ModelPrompt {
  readonly id: string;
  /** Its tokens spelled out, special ones too. */
  readonly model_text: string;
  readonly tokens: number;
  /** It went through the model's chat template. */
  readonly chat_template: boolean;
}

/** What a model gets of a dataset. */
export interface ModelPrompts {
  readonly model: string;
  readonly context_length: number;
  /** Tokens of the dataset's prompts: of the shortest, the middle one and the longest. */
  readonly tokens: { readonly min: number; readonly median: number; readonly max: number };
  /** Prompts that leave no room in the context, and that an evaluation leaves out. */
  readonly too_long: number;
  /** The first ones. */
  readonly shown: readonly ModelPrompt[];
}

/**
 * Puts a dataset's prompts to a model's tokenizer, without loading its weights; downloads it where it is not here.
 * @throws InputError when the model has no tokenizer, or no chat template for a chat.
 */
export async function modelPrompts(
  reference: string,
  { prompts }: Dataset,
  { limit, quiet, ...choice }: ChatChoice & { readonly limit: number; readonly quiet: boolean },
): Promise<ModelPrompts> {
  const directory = await obtainWithProgress(reference, quiet);
  const { contextLength } = openCheckpoint(directory).config;
  const tokenizer = loadTokenizer(directory);
  if (!tokenizer)
    throw new InputError(
      `The model ${reference} has no tokenizer.json, and datasets are text; use a model that has one.`,
    );
  const turns = prompts.map((prompt) => firstTurn(prompt, choice, tokenizer));
  const counts = turns.map(({ tokens }) => tokens.length);
  return {
    model: reference,
    context_length: contextLength,
    tokens: { min: Math.min(...counts), median: median(counts), max: Math.max(...counts) },
    too_long: counts.filter((count) => count >= contextLength).length,
    shown: turns.slice(0, limit).map(({ tokens, form }, i) => ({
      id: prompts[i]!.id,
      model_text: tokenizer.decode(tokens, { skipSpecialTokens: false }),
      tokens: tokens.length,
      chat_template: form.chat,
    })),
  };
}
