/**
 * A prompt of exactly `length` tokens that ends as prompt `index` does: what comes before it are the other prompts in turn,
 * cut at the front. The end of a prompt decides what kind of text follows, so the end is what stays.
 * @param prompts token ids, [prompts][tokens], all of one kind, none empty.
 */
export function promptOfLength(
  prompts: readonly (readonly number[])[],
  index: number,
  length: number,
): number[] {
  let tokens = [...prompts[index]];
  for (let step = 1; tokens.length < length; step++)
    tokens = [...prompts[(index + step) % prompts.length], ...tokens];
  return tokens.slice(tokens.length - length);
}
