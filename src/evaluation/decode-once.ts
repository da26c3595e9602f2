import type { DraftMemory } from '../decoding/draft-memory.js';
import { type GenerateRequest, generate, roomFor } from '../decoding/generate.js';
import { relearn } from '../decoding/relearn.js';
import { InputError } from '../errors.js';
import type {
  EvaluatedModel,
  EvaluationPrompt,
  EvaluationSettings,
  NamedMethod,
  Sample,
} from './run.js';

/** What a generation of a prompt by a method came to. */
type Decoded = Omit<Sample, 'prompt' | 'method' | 'repetition' | 'order'>;

/** A generation of an earlier run, from which the method's memory learns. */
export async function decodedBefore(
  { engine }: EvaluatedModel,
  past: Sample,
  { prompt, method, repetition }: Pick<Sample, 'prompt' | 'method' | 'repetition'>,
  memory: DraftMemory,
  settings: EvaluationSettings,
): Promise<Decoded> {
  if (past.prompt !== prompt || past.method !== method || past.repetition !== repetition)
    throw new InputError(
      `A generation of ${past.prompt.id} by ${past.method.name} stands where ${prompt.id} by ${method.name} is due: the generations to go on from are of another evaluation.`,
    );
  const maxNewTokens = Math.min(settings.maxNewTokens, roomFor(engine, prompt.tokens));
  const { tokens, rounds } = past;
  const { drafted, accepted } = rounds;
  const generation = { prompt: prompt.tokens, tokens, maxNewTokens, drafted, accepted };
  await relearn(engine, method.method, memory, generation);
  return past;
}

/** Decodes a prompt with a method and times it. */
export async function decodeOnce(
  { engine, tokenizer }: EvaluatedModel,
  start: Pick<GenerateRequest, 'cache' | 'cachedTokens' | 'memory'>,
  prompt: EvaluationPrompt,
  { method }: NamedMethod,
  { maxNewTokens, sampling, coupling }: EvaluationSettings,
): Promise<Decoded> {
  const { stop = [] } = prompt;
  const running = generate(engine, {
    prompt: prompt.tokens,
    maxNewTokens,
    method,
    sampling,
    coupling,
    ...start,
    // Text is only needed to find stop texts; to make it between the rounds would cost time there.
    ...(stop.length > 0 ? { stop, tokenizer } : {}),
  });
  const rounds = {
    drafted: [] as number[],
    accepted: [] as number[],
    draftSeconds: [] as number[],
    targetSeconds: [] as number[],
  };
  let started = 0;
  for (;;) {
    const step = await running.next();
    if (step.done) {
      const elapsedSeconds = (performance.now() - started) / 1000;
      const { tokens, finishReason, statistics } = step.value;
      const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
      return { tokens, finishReason, statistics, rounds, elapsedSeconds, peakMemoryBytes };
    }
    const { round } = step.value;
    if (round?.kind === 'prefill') started = performance.now();
    if (round?.kind !== 'round') continue;
    rounds.drafted.push(round.drafted.length);
    rounds.accepted.push(round.accepted);
    rounds.draftSeconds.push(round.draftSeconds);
    rounds.targetSeconds.push(round.targetSeconds);
  }
}
