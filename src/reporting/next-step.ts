import type { Precision } from '../graph/quantise.js';
import { isTooFew } from '../measurement/few-prompts.js';
import type { SearchDocument } from '../search/search-document.js';
import { shellQuote } from './shell-quote.js';
import { lineWidth, wrapLine } from './width.js';

/** What was searched: a profile decodes with no other. */
export interface SearchedModel {
  /** As it was given to `--model`. */
  readonly reference: string;
  readonly precision: Precision;
}

/**
 * How to go on after a search: the whole command that decodes with what was found, or, where nothing gained on held-out
 * prompts, that the profile decodes as if there were none. Sentences are as wide as the terminal; commands are in one piece.
 * @param width another width than the terminal's.
 */
export function nextStep(
  {
    method,
    holdout,
    profile,
    prompts,
  }: Pick<SearchDocument, 'method' | 'holdout' | 'profile' | 'prompts'>,
  { reference, precision }: SearchedModel,
  width = lineWidth(),
): string {
  const inLines = (sentence: string) => wrapLine(sentence, width).join('\n');
  const show = `  sspec profile show ${shellQuote(profile)}`;
  if (method === 'autoregressive') {
    const why =
      holdout.verdict === null || isTooFew(holdout.prompts)
        ? 'Too little was measured to say whether anything gains'
        : 'Nothing gains for this model, on these prompts and this machine';
    const sentence = inLines(`${why}: ${profile} decodes autoregressively.`);
    return `${sentence}\nWhat was found is in it, to be looked at:\n${show}`;
  }
  const flags = [
    ...(reference === 'demo' ? [] : [`--model ${shellQuote(reference)}`]),
    ...(precision === 'int8' ? [] : [`--precision ${precision}`]),
    `--profile ${shellQuote(profile)}`,
    ...(prompts.holdout.chat_template ? ['--chat'] : []),
  ];
  const written = inLines(`Profile written to ${profile}; decode with it:`);
  return `${written}\n  sspec generate ${flags.join(' ')} --prompt TEXT`;
}
