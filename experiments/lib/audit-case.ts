import { z } from 'zod';
import type { Engine } from '../../src/engine/engine.js';
import { selfCheck } from '../../src/engine/self-check.js';
import { findDivergences } from '../../src/evaluation/divergence.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { BASELINE } from '../../src/evaluation/run.js';
import { maskToBits } from '../../src/profile/mask.js';
import type { AuditCase } from './audit-plan.js';

const count = z.int().min(0);

/** One comparison of a speculative output with the autoregressive one, as the journal keeps it. */
export const unitRecord = z.strictObject({
  /** Case and place in it; with the plan's seed they say everything else. */
  unit: z.string().regex(/^\d+\.\d+$/),
  ...{ model: z.string(), precision: z.string(), dataset: z.string(), prompt: z.string() },
  /** Of the model's session; bits are promised for one number of threads. */
  threads: count,
  prompt_tokens: count,
  sampling: z.enum(['greedy', 'gumbel']),
  method: z.string(),
  draft_exit: z.string().nullable(),
  draft_length: count.nullable(),
  /** The draft's mask, a digit per sublayer, 1 = skipped; null without one. */
  mask: z.string().nullable(),
  fallback: z.boolean(),
  /** Tokens of the autoregressive output, each of which was compared. */
  new_tokens: count,
  ...{ proposed_tokens: count, accepted_tokens: count },
  /** Whether passes of any length agree in every bit here (the self-check): then every divergence is a defect. */
  exact: z.boolean(),
  divergence: z
    .strictObject({
      ...{ position: count, margin: z.number().nullable() },
      kind: z.enum(['near-tie', 'defect']),
    })
    .nullable(),
});
export type UnitRecord = z.infer<typeof unitRecord>;

/** Compares all methods of a case with one autoregressive output, as `sspec eval --audit` does. */
export async function runCase(
  engine: Engine,
  model: string,
  { index, dataset, promptId, prompt: tokens, maxNewTokens, sampling, methods }: AuditCase,
): Promise<UnitRecord[]> {
  const named = methods.map((method, place) => ({ name: `${index}.${place}`, method }));
  const result = await evaluate(
    { engine, tokenizer: null },
    {
      ...{ prompts: [{ id: promptId, dataset, tokens }], methods: named, maxNewTokens, sampling },
      ...{ repetitions: 1, warmup: 0, coupling: 'gumbel' },
    },
  );
  const divergences = await findDivergences(engine, result);
  const { exact } = await selfCheck(engine);
  const samples = new Map(result.samples.map((sample) => [sample.method.name, sample]));
  return named.map(({ name: unit, method }) => {
    const sample = samples.get(unit)!;
    const found = divergences.find((divergence) => divergence.sample === sample);
    const drafts = 'draftLength' in method ? method : null;
    return {
      ...{ unit, model, precision: engine.model.precision, dataset, prompt: promptId },
      ...{ threads: engine.threads, prompt_tokens: tokens.length },
      sampling: sampling.temperature === 0 ? 'greedy' : 'gumbel',
      method: method.name,
      draft_exit: drafts?.exit.exit ?? null,
      draft_length: drafts?.draftLength ?? null,
      mask: drafts && maskToBits(drafts.plan.mask, engine.config.layers).join(''),
      fallback: drafts?.fallback !== undefined,
      new_tokens: samples.get(BASELINE.name)!.tokens.length,
      proposed_tokens: sample.statistics.proposedTokens,
      accepted_tokens: sample.statistics.acceptedTokens,
      exact,
      divergence: found
        ? { position: found.position, margin: found.margin, kind: found.kind }
        : null,
    };
  });
}
