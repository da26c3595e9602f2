import { autoregressiveOutputs, type Divergence } from './divergence.js';
import { sameTokens } from './evaluate.js';
import type { EvaluationResult } from './run.js';

/** What `--audit` compared and found, as results.json and `--json` have it. */
export interface AuditRecord {
  /** Outputs that were compared: all of every repetition but the first autoregressive one of each prompt. */
  readonly outputs: number;
  /** Tokens in them. */
  readonly tokens: number;
  /** Those that differ from autoregressive decoding in any token. */
  readonly different_outputs: number;
  /** Places where outputs part, repetitions of the same taken together, that rounding can account for. */
  readonly near_ties: number;
  /** Places where they part and rounding cannot account for it. */
  readonly defects: number;
  /** Whether passes of any length agree in every bit here; then every divergence is a defect. */
  readonly bit_exact: boolean;
}

/**
 * Counts what was compared and found.
 * @param result of outputs that must agree (`outputsMustAgree`).
 * @param divergences of `findDivergences`.
 * @param bitExact what the self-check says of this machine.
 */
export function auditRecord(
  result: EvaluationResult,
  divergences: readonly Divergence[],
  bitExact: boolean,
): AuditRecord {
  const references = autoregressiveOutputs(result);
  const compared = result.samples.filter((sample) => references.get(sample.prompt) !== sample);
  const different = compared.filter(
    ({ prompt, tokens }) => !sameTokens(tokens, references.get(prompt)!.tokens),
  );
  const count = (wanted: Divergence['kind']) =>
    divergences.filter(({ kind }) => kind === wanted).length;
  return {
    outputs: compared.length,
    tokens: compared.reduce((sum, { tokens }) => sum + tokens.length, 0),
    different_outputs: different.length,
    near_ties: count('near-tie'),
    defects: count('defect'),
    bit_exact: bitExact,
  };
}
