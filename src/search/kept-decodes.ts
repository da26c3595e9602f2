/**
 * The generations of a rung of real decoding, kept in the study as they are measured: a search that was interrupted goes on with the
 * next one. On a large model a rung is hours.
 *
 * What is kept counts only where all is the same that times depend on: who decodes which prompts, how, with what versions and on
 * what kind of machine. Otherwise the rung begins anew, under another name in the study.
 */
import { createHash } from 'node:crypto';
import type { Decoded } from '../evaluation/decode-once.js';
import type {
  EvaluationPrompt,
  EvaluationSettings,
  KeptGenerations,
  NamedMethod,
  Sample,
} from '../evaluation/run.js';
import { identityText } from '../identity.js';
import type { DecodedEvent } from '../study/events.js';
import { replayStudy } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';

/** Longest event in characters; a generation of more is measured again. */
const MOST_CHARACTERS = 500_000;

/** What a rung measures. */
export interface KeptRung {
  readonly name: 'race' | 'holdout';
  readonly prompts: readonly EvaluationPrompt[];
  readonly methods: readonly NamedMethod[];
  readonly settings: EvaluationSettings;
  /** The kind of machine and the versions that times are of. */
  readonly host: object;
}

/** The generations of one rung, in a study. */
export interface KeptDecodes extends KeptGenerations {
  /** Prompts whose generations were not all measured in one run. */
  interrupted(): number;
}

/** What a study has of a rung, and where more of it goes. */
export function keptDecodes(study: OpenStudy, rung: KeptRung): KeptDecodes {
  const measurement = measurementOf(rung);
  const run = new Date().toISOString();
  const numbers = new Map(rung.prompts.map((prompt, number) => [prompt, number]));
  const earlier = replayStudy(study);
  const runs = new Map<number, Set<string>>();
  const placeOf = (prompt: EvaluationPrompt, method: NamedMethod, repetition: number) => {
    return { measurement, method: method.name, prompt: numbers.get(prompt)!, repetition };
  };
  const note = (event: DecodedEvent) => {
    runs.set(event.prompt, (runs.get(event.prompt) ?? new Set()).add(event.run));
  };
  return {
    find(prompt, method, repetition) {
      const event = earlier.decoded(placeOf(prompt, method, repetition));
      if (event) note(event);
      return event && readDecoded(event);
    },
    async keep(sample) {
      const { prompt, method, repetition } = sample;
      const place = placeOf(prompt, method, repetition);
      const event: DecodedEvent = { type: 'decoded', ...place, run, ...writeDecoded(sample) };
      note(event);
      if (JSON.stringify(event).length <= MOST_CHARACTERS) await study.append(event);
    },
    interrupted: () => [...runs.values()].filter(({ size }) => size > 1).length,
  };
}

function measurementOf({ name, prompts, methods, settings, host }: KeptRung): string {
  const decoded = prompts.map(({ dataset, tokens, stop = [] }) => [dataset, tokens, stop]);
  const identity = identityText([name, decoded, methods, settings, host]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}

type Written = Omit<
  DecodedEvent,
  'type' | 'measurement' | 'method' | 'prompt' | 'repetition' | 'run'
>;

function writeDecoded({
  order,
  tokens,
  finishReason,
  statistics,
  rounds,
  ...rest
}: Sample): Written {
  return {
    order,
    tokens: [...tokens],
    finish_reason: finishReason,
    statistics: {
      new_tokens: statistics.newTokens,
      prefill_seconds: statistics.prefillSeconds,
      decode_seconds: statistics.decodeSeconds,
      draft_seconds: statistics.draftSeconds,
      target_seconds: statistics.targetSeconds,
      target_passes: statistics.targetPasses,
      draft_passes: statistics.draftPasses,
      proposed_tokens: statistics.proposedTokens,
      accepted_tokens: statistics.acceptedTokens,
      reached: [...statistics.reached],
      accepted_at: [...statistics.acceptedAt],
    },
    rounds: {
      drafted: [...rounds.drafted],
      accepted: [...rounds.accepted],
      draft_passes: [...rounds.draftPasses],
      draft_seconds: [...rounds.draftSeconds],
      target_seconds: [...rounds.targetSeconds],
    },
    elapsed_seconds: rest.elapsedSeconds,
    peak_memory_bytes: rest.peakMemoryBytes,
  };
}

function readDecoded({
  tokens,
  finish_reason,
  statistics,
  rounds,
  ...rest
}: DecodedEvent): Decoded {
  return {
    tokens,
    finishReason: finish_reason,
    statistics: {
      newTokens: statistics.new_tokens,
      prefillSeconds: statistics.prefill_seconds,
      decodeSeconds: statistics.decode_seconds,
      draftSeconds: statistics.draft_seconds,
      targetSeconds: statistics.target_seconds,
      targetPasses: statistics.target_passes,
      draftPasses: statistics.draft_passes,
      proposedTokens: statistics.proposed_tokens,
      acceptedTokens: statistics.accepted_tokens,
      reached: [...statistics.reached],
      acceptedAt: [...statistics.accepted_at],
    },
    rounds: {
      drafted: rounds.drafted,
      accepted: rounds.accepted,
      draftPasses: rounds.draft_passes ?? rounds.drafted,
      draftSeconds: rounds.draft_seconds,
      targetSeconds: rounds.target_seconds,
    },
    elapsedSeconds: rest.elapsed_seconds,
    peakMemoryBytes: rest.peak_memory_bytes,
  };
}
