/**
 * Log-probabilities of emitted tokens, in the full model's own distribution: log softmax of its logits, before temperature and
 * filters. They come from the pass that verified the token, so speculation does not change a bit of them.
 */

/** A token and its natural log-probability. */
export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/** An emitted token, and the most probable tokens at its place. */
export interface EmittedLogprob extends TokenLogprob {
  /** The most probable first, equals by id. */
  readonly top: readonly TokenLogprob[];
}

/**
 * @param logits the target's, [vocabularySize] at `offset`.
 * @param token that was emitted there.
 * @param count most probable tokens that are told beside it.
 */
export function emittedLogprob(
  logits: Float32Array,
  offset: number,
  vocabularySize: number,
  token: number,
  count: number,
): EmittedLogprob {
  const row = logits.subarray(offset, offset + vocabularySize);
  const best = mostProbable(row, Math.max(1, count));
  const max = row[best[0]!]!;
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - max);
  const total = Math.log(sum);
  const of = (id: number) => ({ token: id, logprob: row[id]! - max - total });
  return { ...of(token), top: best.slice(0, count).map(of) };
}

/** Ids of the largest logits, in order. */
function mostProbable(row: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < row.length; id++) {
    const logit = row[id]!;
    if (best.length === count && !(logit > row[best[count - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && logit > row[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
