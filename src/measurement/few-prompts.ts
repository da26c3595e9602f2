/**
 * Fewest prompts that an interval and a verdict are told of. A bootstrap over fewer has little to draw from (over 4 prompts there
 * are 35 resamples in all), and what it says of other prompts is not to be relied on.
 */
export const FEWEST_PROMPTS = 5;

/** What stands in place of an interval and of a verdict where there are fewer. */
export const TOO_FEW = 'too few';

/** Whether so many prompts are too few for an interval and a verdict: decides for terminals, files and pages alike. */
export function isTooFew(prompts: number): boolean {
  return prompts < FEWEST_PROMPTS;
}
