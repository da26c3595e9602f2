import type { DraftMemory } from '../decoding/draft-memory.js';
import { type GenerateRequest, type Generation, generate, roomFor } from '../decoding/generate.js';
import type { Method } from '../decoding/method.js';
import { relearn } from '../decoding/relearn.js';
import type { DecodeStatistics } from '../decoding/statistics.js';
import type { Model } from '../engine/load-model.js';

/** The rounds of one generation: element i belongs to round i, the prefill left out. */
export interface RoundRecord {
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
  readonly draftPasses: readonly number[];
  readonly draftSeconds: readonly number[];
  readonly targetSeconds: readonly number[];
}

/** What a generation of a prompt by a method came to. */
export interface Decoded {
  /** New tokens; repetitions with the same output share one array. */
  readonly tokens: readonly number[];
  readonly finishReason: Generation['finishReason'];
  readonly statistics: DecodeStatistics;
  readonly rounds: RoundRecord;
  /** From the first token to the end: `decodeSeconds` and what the engine spends between rounds. */
  readonly elapsedSeconds: number;
  /** Largest resident memory of the process up to the end of this generation. */
  readonly peakMemoryBytes: number;
}

interface DecodedPrompt {
  readonly tokens: readonly number[];
  readonly stop?: readonly string[];
  /** Most new tokens, where it has a limit of its own. */
  readonly maxNewTokens?: number;
}

/** Learns from a generation of an earlier run, as from one of this. */
export function learnFrom(
  { engine }: Pick<Model, 'engine'>,
  { tokens, rounds }: Decoded,
  prompt: DecodedPrompt,
  method: Method,
  memory: DraftMemory,
  settings: { readonly maxNewTokens: number },
): Promise<void> {
  const most = prompt.maxNewTokens ?? settings.maxNewTokens;
  const maxNewTokens = Math.min(most, roomFor(engine, prompt.tokens));
  const { drafted, accepted, draftPasses } = rounds;
  const made = { prompt: prompt.tokens, tokens, maxNewTokens };
  const generation = { ...made, drafted, accepted, draftPasses };
  return relearn(engine, method, memory, generation);
}

/** Decodes a prompt with a method and times it. */
export async function decodeOnce(
  { engine, tokenizer }: Pick<Model, 'engine' | 'tokenizer'>,
  start: Pick<GenerateRequest, 'cache' | 'cachedTokens' | 'memory'>,
  prompt: DecodedPrompt,
  method: Method,
  settings: Required<Pick<GenerateRequest, 'maxNewTokens' | 'sampling' | 'coupling'>>,
): Promise<Decoded> {
  const { maxNewTokens, sampling, coupling } = settings;
  const { stop = [] } = prompt;
  const running = generate(engine, {
    prompt: prompt.tokens,
    maxNewTokens: prompt.maxNewTokens ?? maxNewTokens,
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
    draftPasses: [] as number[],
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
    rounds.draftPasses.push(round.draftPasses);
    rounds.draftSeconds.push(round.draftSeconds);
    rounds.targetSeconds.push(round.targetSeconds);
  }
}
