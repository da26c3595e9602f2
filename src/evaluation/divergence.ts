/**
 * The audit: outputs held token by token against autoregressive decoding.
 *
 * symbol | shape        | meaning
 * -------|--------------|------------------------------------------------------------------------------
 * l      | [vocabulary] | the target's logits where two outputs part, from one more autoregressive run
 * T, g   | scalar, [vocabulary] | temperature, and the Gumbel noise of that place (none when T = 0)
 * margin | scalar       | (l_a + T g_a) - (l_b + T g_b): how far the baseline's token a was ahead of the other, b
 *
 * A token is the argmax of l + T g, so another one can come from rounding only where the margin is small.
 */
import { gumbel, STREAM, uniform } from '../decoding/sampling/noise.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import type { Engine } from '../engine/engine.js';
import { selfCheck } from '../engine/self-check.js';
import type { Precision } from '../graph/quantise.js';
import { sameTokens } from './evaluate.js';
import type { EvaluationPrompt, EvaluationResult, Sample } from './run.js';

/**
 * Largest margin, in logits, that rounding can account for. Attention over one long buffer, which rounds differently
 * from one pass length to another, moved logits by 4e-6 in fp32 and, amplified where activations are quantised, by 0.06;
 * a margin has two logits, and a factor of two is left for deeper models.
 */
export const NEAR_TIE_MARGIN: Readonly<Record<Precision, number>> = {
  fp32: 1e-3,
  int8: 0.25,
  int4: 0.25,
};

/** A place where an output leaves that of autoregressive decoding. */
export interface Divergence {
  /** The first generation that has it. */
  readonly sample: Sample;
  /** Among the new tokens, from 0. */
  readonly position: number;
  /** null where one of the outputs ends. */
  readonly margin: number | null;
  /** `near-tie`: rounding may have decided, for this machine does not pass the self-check; `defect`: it cannot have. */
  readonly kind: 'near-tie' | 'defect';
}

/** Whether the outputs of two methods must be the same: with maximal coupling only their distribution is. */
export function outputsMustAgree({ settings }: EvaluationResult): boolean {
  return settings.sampling.temperature === 0 || settings.coupling === 'gumbel';
}

/** What outputs are held against: the first autoregressive one of each prompt. */
export function autoregressiveOutputs({
  methods: [baseline],
  samples,
}: EvaluationResult): Map<EvaluationPrompt, Sample> {
  const references = new Map<EvaluationPrompt, Sample>();
  for (const sample of samples) {
    if (sample.method === baseline && !references.has(sample.prompt))
      references.set(sample.prompt, sample);
  }
  return references;
}

/**
 * Finds where outputs differ from the first autoregressive one of their prompt, later autoregressive ones included.
 * Repetitions that part at the same place with the same token are told once.
 */
export async function findDivergences(
  engine: Engine,
  result: EvaluationResult,
): Promise<Divergence[]> {
  if (!outputsMustAgree(result)) return [];
  const references = autoregressiveOutputs(result);
  const found: Divergence[] = [];
  for (const sample of result.samples) {
    const expected = references.get(sample.prompt)!.tokens;
    if (sameTokens(sample.tokens, expected)) continue;
    const position = partingPlace(sample.tokens, expected);
    const token = sample.tokens[position];
    const isKnown = found.some(
      (other) =>
        other.sample.prompt === sample.prompt &&
        other.sample.method === sample.method &&
        other.position === position &&
        other.sample.tokens[position] === token,
    );
    if (isKnown) continue;
    const margin = await marginAt(engine, sample, expected, position, result.settings.sampling);
    const isTie = margin !== null && Math.abs(margin) <= NEAR_TIE_MARGIN[engine.model.precision];
    // Where passes of any length agree in every bit, rounding has no part in it.
    const excused = isTie && !(await selfCheck(engine)).exact;
    found.push({ sample, position, margin, kind: excused ? 'near-tie' : 'defect' });
  }
  return found;
}

function partingPlace(a: readonly number[], b: readonly number[]): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

async function marginAt(
  engine: Engine,
  { prompt, tokens }: Sample,
  expected: readonly number[],
  position: number,
  { temperature, seed }: SamplingOptions,
): Promise<number | null> {
  const ours = expected[position];
  const other = tokens[position];
  if (ours === undefined || other === undefined) return null;
  const start = prompt.tokens.length;
  const cache = engine.createCache(start + position);
  let logits = await engine.prefill(cache, prompt.tokens);
  for (let i = 0; i < position; i++) {
    logits = await engine.forward(cache, [expected[i]!], start + i, engine.target, 'last');
  }
  const score = (token: number) => {
    if (temperature === 0) return logits[token]!;
    const noise = gumbel(uniform(seed, STREAM.gumbel, start + position, token));
    return logits[token]! + temperature * noise;
  };
  return score(ours) - score(other);
}
