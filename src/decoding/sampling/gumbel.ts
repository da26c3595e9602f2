/**
 * Gumbel coupling (drafter-invariant speculative decoding: Daliri, Musco and Suresh 2024, arXiv 2408.07978).
 *
 * | symbol | shape  | meaning                                                  |
 * |--------|--------|----------------------------------------------------------|
 * | s, P   | [n]    | scaled logits and probabilities of the survivors         |
 * | u      | [n]    | uniforms, a function of (seed, position, token)          |
 * | g      | [n]    | Gumbel noise, -log(-log u)                               |
 *
 * token = argmax_i s_i + g_i is distributed as P. Draft and target add the same g, so they tend to agree, and what the
 * target takes does not depend on the draft at all.
 */
import type { Survivors } from './filter.js';
import { gumbel, STREAM, UNIFORM_STEP, uniform } from './noise.js';

/** Far above the rounding of the logarithms, so that the shortcut below never changes who wins. */
const SLACK = 1 + 1e-9;

/**
 * The token at absolute `position` under `seed`: argmax of scaled logits plus Gumbel noise, ties to the lowest id.
 *
 * i beats the best value b so far only when -log u_i <= exp(s_i - b), and 1 - u <= -log u: most tokens are dismissed by
 * comparing 1 - u_i (no logarithm), and the lightest without drawing u_i.
 */
export function gumbelToken(survivors: Survivors, seed: number, position: number): number {
  const { ids, scores, probabilities, count, top } = survivors;
  let winner = ids[top];
  let best = scores[top] + gumbel(uniform(seed, STREAM.gumbel, position, winner));
  // exp(s_i - b) = P_i * perProbability
  const total = SLACK * (Math.exp(scores[top]) / probabilities[top]);
  let perProbability = total * Math.exp(-best);
  for (let j = 0; j < count; j++) {
    if (j === top) continue;
    const bound = probabilities[j] * perProbability;
    if (bound < UNIFORM_STEP) continue;
    const u = uniform(seed, STREAM.gumbel, position, ids[j]);
    if (1 - u > bound) continue;
    const value = scores[j] + gumbel(u);
    if (value > best || (value === best && ids[j] < winner)) {
      best = value;
      winner = ids[j];
      perProbability = total * Math.exp(-best);
    }
  }
  return winner;
}
