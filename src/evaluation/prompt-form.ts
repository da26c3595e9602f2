import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { InputError } from '../errors.js';

/** How a prompt is put to a model: as messages in its chat template, or as text to be continued. */
export type PromptForm =
  | { readonly chat: false }
  | { readonly chat: true; readonly system?: string };

/** What a user asks for; what is left out follows from model and dataset. */
export interface ChatChoice {
  /** Default: for instructions, where the model has a chat template. */
  readonly chat?: boolean | undefined;
  /** A system message; asks for chat. */
  readonly system?: string | undefined;
}

/**
 * The form of one prompt.
 * @throws InputError for a chat with a model that has no chat template, or a system message without chat.
 */
export function promptForm(
  { chat, system }: ChatChoice,
  isInstruction: boolean,
  { hasChatTemplate }: TextTokenizer,
): PromptForm {
  if (system !== undefined && chat === false)
    throw new InputError(
      '--system is a message of a chat, and --no-chat asks for none; leave one out.',
    );
  const wanted = chat ?? (system !== undefined || undefined);
  if (wanted && !hasChatTemplate)
    throw new InputError(
      'The model has no chat template, so it cannot chat; leave --chat and --system out.',
    );
  if (!(wanted ?? (hasChatTemplate && isInstruction))) return { chat: false };
  return { chat: true, ...(system === undefined ? {} : { system }) };
}
