import type { Precision } from '../graph/quantise.js';
import type { SearchFigures } from '../search/search-document.js';
import { shellQuote } from './shell-quote.js';

/** What was searched: a profile decodes with no other. */
export interface SearchedModel {
  /** As it was given to `--model`. */
  readonly reference: string;
  readonly precision: Precision;
}

/**
 * How to go on after a search, by its verdict on held-out prompts (null: too little was measured for one): the whole command
 * where it gained, and where it did not, that there is nothing to decode with.
 */
export function nextStep(
  verdict: SearchFigures['verdict'],
  profile: string,
  { reference, precision }: SearchedModel,
): string {
  const show = `  sspec profile show ${shellQuote(profile)}`;
  if (verdict === null)
    return `Too little was measured to say whether it gains. Profile written to ${profile}:\n${show}`;
  if (verdict !== 'faster')
    return `Skipping gains nothing for this model, on these prompts and this machine: decode without a profile.\nWhat was found is in ${profile}, to be looked at:\n${show}`;
  const flags = [
    ...(reference === 'demo' ? [] : [`--model ${shellQuote(reference)}`]),
    ...(precision === 'int8' ? [] : [`--precision ${precision}`]),
    `--profile ${shellQuote(profile)}`,
  ];
  return `Profile written to ${profile}; decode with it:\n  sspec generate ${flags.join(' ')} --prompt TEXT`;
}
