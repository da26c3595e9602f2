/** Generations of an earlier run as its file has them (`sampleRecord`), made samples of this one. */
import { z } from 'zod';
import { addTried, emptyStatistics } from '../decoding/statistics.js';
import { BASELINE, type EvaluationPrompt, type NamedMethod, type Sample } from './run.js';

const text = z.string().max(1_000_000);
const count = z.int().min(0);
const seconds = z.number().min(0);
const counts = z.array(count).max(100_000);
const times = z.array(seconds).max(100_000);

export const pastSampleSchema = z
  .object({
    dataset: text,
    prompt: text,
    method: text,
    profile: text.nullable(),
    repetition: count,
    order: count,
    new_tokens: count,
    finish_reason: z.enum(['eos', 'length', 'stop']),
    prefill_seconds: seconds,
    decode_seconds: seconds,
    draft_seconds: seconds,
    target_seconds: seconds,
    elapsed_seconds: seconds,
    target_passes: count,
    draft_passes: count,
    proposed_tokens: count,
    accepted_tokens: count,
    peak_memory_bytes: count,
    token_ids: counts,
    rounds: z.object({
      drafted: counts,
      accepted: counts,
      /** Absent in files of earlier versions. */
      draft_passes: counts.optional(),
      draft_seconds: times,
      target_seconds: times,
    }),
  })
  .refine(({ new_tokens, token_ids }) => token_ids.length === new_tokens, {
    message: 'it must have new_tokens elements',
    path: ['token_ids'],
  })
  .refine(
    ({ rounds: { drafted, accepted } }) =>
      drafted.length === accepted.length && accepted.every((n, i) => n <= drafted[i]!),
    {
      message: 'it must have a number up to that of rounds.drafted for each round',
      path: ['rounds', 'accepted'],
    },
  );

export type PastSample = z.infer<typeof pastSampleSchema>;

/** Finds the prompt and the method of a generation; undefined where there is no such. */
export function pastSamples(
  prompts: readonly EvaluationPrompt[],
  methods: readonly NamedMethod[],
): (past: PastSample) => Sample | undefined {
  const promptOf = new Map(prompts.map((prompt) => [keyOf(prompt.dataset, prompt.id), prompt]));
  const methodOf = new Map(
    [BASELINE, ...methods].map((method) => [keyOf(method.name, method.profile ?? null), method]),
  );
  return (past) => {
    const prompt = promptOf.get(keyOf(past.dataset, past.prompt));
    const method = methodOf.get(keyOf(past.method, past.profile));
    return prompt && method && sampleOf(past, prompt, method);
  };
}

function keyOf(...parts: readonly (string | null)[]): string {
  return JSON.stringify(parts);
}

function sampleOf(past: PastSample, prompt: EvaluationPrompt, method: NamedMethod): Sample {
  const { rounds } = past;
  const statistics = {
    ...emptyStatistics(),
    newTokens: past.new_tokens,
    prefillSeconds: past.prefill_seconds,
    decodeSeconds: past.decode_seconds,
    draftSeconds: past.draft_seconds,
    targetSeconds: past.target_seconds,
    targetPasses: past.target_passes,
    draftPasses: past.draft_passes,
    proposedTokens: past.proposed_tokens,
    acceptedTokens: past.accepted_tokens,
  };
  rounds.drafted.forEach((drafted, i) => {
    addTried(statistics, drafted, rounds.accepted[i]!);
  });
  return {
    prompt,
    method,
    repetition: past.repetition,
    order: past.order,
    tokens: past.token_ids,
    finishReason: past.finish_reason,
    statistics,
    rounds: {
      drafted: rounds.drafted,
      accepted: rounds.accepted,
      draftPasses: rounds.draft_passes ?? rounds.drafted,
      draftSeconds: rounds.draft_seconds,
      targetSeconds: rounds.target_seconds,
    },
    elapsedSeconds: past.elapsed_seconds,
    peakMemoryBytes: past.peak_memory_bytes,
  };
}
