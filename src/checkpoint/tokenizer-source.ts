import { z } from 'zod';
import { parseFields } from '../json-file.js';

const templateSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});

/** Where a model's tokenizer comes from; nothing of it is checked but what is asked for. */
export interface TokenizerSource {
  /** Where the tokenizer and its configuration stand, for errors. */
  readonly file: string;
  readonly configFile: string;
  /** Contents of tokenizer.json and tokenizer_config.json, or the same made of what another format has, which may take a while. */
  read(): { readonly json: unknown; readonly configJson: unknown };
  /**
   * The chat template, and the file that it stands in: chat_template.jinja goes before the one in tokenizer_config.json, as in
   * transformers.
   */
  template(): { readonly text: string; readonly file: string } | undefined;
}

/** The chat template in the content of tokenizer_config.json. */
export function templateIn(
  configJson: unknown,
  file: string,
): { text: string; file: string } | undefined {
  const { chat_template: stored } = parseFields(templateSchema, configJson, file);
  const text = Array.isArray(stored)
    ? stored.find(({ name }) => name === 'default')?.template
    : stored;
  return text == null ? undefined : { text, file };
}
