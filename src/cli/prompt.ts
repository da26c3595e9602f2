import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';

/** Where a prompt may come from; at most one is given. */
export interface PromptFlags {
  readonly prompt?: string | undefined;
  readonly 'prompt-file'?: string | undefined;
  readonly 'prompt-ids'?: string | undefined;
}

/** A prompt as it was given. */
export type PromptSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'ids'; readonly ids: readonly number[] };

/**
 * Reads the prompt from its flag, else from stdin when that is no terminal. Of a file and of stdin the last line break
 * is left out: it is the editor's, and a model would go on in a new line.
 * @throws InputError when there is none, it is empty, or it cannot be read.
 */
export async function readPrompt(flags: PromptFlags): Promise<PromptSource> {
  const ids = flags['prompt-ids'];
  if (ids !== undefined) return { kind: 'ids', ids: parseTokenIds(ids) };
  const text = await promptText(flags);
  // Not left to the model: with a beginning-of-sequence token it would make up a text of its own.
  if (text === '') throw new InputError('The prompt is empty; give some text.');
  return { kind: 'text', text };
}

async function promptText({ prompt, 'prompt-file': file }: PromptFlags): Promise<string> {
  if (prompt !== undefined) return prompt;
  if (file !== undefined) return readText(() => readFileSync(file), file);
  if (process.stdin.isTTY)
    throw new InputError(
      'There is no prompt: give --prompt, --prompt-file or --prompt-ids, or pipe a text in.',
    );
  // Not readFileSync(0), which fails where a slow program has written nothing yet.
  return readText(() => buffer(process.stdin), 'stdin');
}

/** @throws InputError when the text is no list of ids such as `1,2,3`. */
export function parseTokenIds(text: string): number[] {
  return (text.trim() === '' ? [] : text.split(',')).map((part) => {
    if (/^\s*\d+\s*$/.test(part)) return Number(part);
    throw new InputError(
      `--prompt-ids: "${part.trim()}" is not a token id; write a list such as 1,2,3.`,
    );
  });
}

async function readText(read: () => Buffer | Promise<Buffer>, name: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await read();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw new InputError(`There is no prompt file ${name}.`);
    throw new InputError(`Cannot read the prompt from ${name}: ${errorMessage(error)}.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new InputError(`The prompt in ${name} is not UTF-8 text.`);
  }
}

/**
 * A prompt's token ids.
 * @throws InputError for text where the model has no tokenizer, or a chat without a template.
 */
export function promptTokens(
  source: PromptSource,
  { chat, system }: { readonly chat?: boolean | undefined; readonly system?: string | undefined },
  model: Model,
): readonly number[] {
  if (source.kind === 'ids') return source.ids;
  const { tokenizer } = model;
  if (!tokenizer)
    throw new InputError(
      `The model ${model.reference} has no tokenizer.json; give the prompt as --prompt-ids.`,
    );
  if (!chat && system === undefined) return tokenizer.encodePrompt(source.text);
  const before = system === undefined ? [] : [{ role: 'system', content: system } as const];
  return tokenizer.encode(tokenizer.chat([...before, { role: 'user', content: source.text }]));
}
