import { z } from 'zod';
import { type Candidate, SEARCHED_EXITS, type SearchedRule } from '../optimise/candidate.js';

const Count = z.number().int().nonnegative();
const Text = z.string().max(10_000);
const Figures = z.record(z.string().min(1).max(200), z.number());

const ruleFields = {
  draft_exit: z.enum(SEARCHED_EXITS),
  draft_length: z.number().int().positive(),
  threshold: z.number().min(0).max(1),
};

/** A candidate as it is written: `mask` a string of 0 and 1, `draft_exit`, `draft_length`, `threshold`. */
export const WrittenCandidate = z.strictObject({
  mask: z.string().regex(/^[01]{2,4096}$/),
  ...ruleFields,
});
export type WrittenCandidate = z.infer<typeof WrittenCandidate>;

/** What must be the same for a study to be resumed. */
const startFields = {
  /** Name of the sampler that proposes. */
  sampler: z.string().min(1).max(100),
  seed: z.number().int(),
  /** 2L, the length of every mask. */
  bits: z.number().int().min(2).max(4096),
  /** Whatever else decides what a score means: model hash, precision, threads, dataset hash, ... */
  context: z.record(z.string().min(1).max(200), z.json()),
};
export const StudyStart = z.strictObject(startFields);
export type StudyStart = z.infer<typeof StudyStart>;

/** First line of a journal. */
export const StudyHeader = z.strictObject({
  schema: z.literal('sspec-study'),
  version: z.literal(1),
  study: z.string(),
  /** When it began, ISO 8601. */
  created: z.iso.datetime(),
  ...startFields,
});
export type StudyHeader = z.infer<typeof StudyHeader>;

const Counts = z.array(Count).max(1_000_000);
const Seconds = z.number().nonnegative();

/** A generation that a rung of real decoding measured. */
export const DecodedEvent = z.strictObject({
  type: z.literal('decoded'),
  /** Hash of all that the rung's figures depend on: who decodes what, how, and on what machine. */
  measurement: z.string().regex(/^[0-9a-f]{16}$/),
  /** Its method, under the name that it has in the measurement. */
  method: z.string().min(1).max(200),
  /** Number of its prompt among those of the rung. */
  prompt: Count,
  repetition: Count,
  /** Place of the method among those that decoded the prompt. */
  order: Count,
  /** When the run began that decoded it, ISO 8601: times of one run can be compared best. */
  run: z.iso.datetime(),
  tokens: Counts,
  finish_reason: z.enum(['eos', 'length', 'stop']),
  /** Counts and seconds, as the decoder adds them up. */
  statistics: z.strictObject({
    new_tokens: Count,
    prefill_seconds: Seconds,
    decode_seconds: Seconds,
    draft_seconds: Seconds,
    target_seconds: Seconds,
    target_passes: Count,
    draft_passes: Count,
    proposed_tokens: Count,
    accepted_tokens: Count,
    reached: Counts,
    accepted_at: Counts,
  }),
  /** By round. */
  rounds: z.strictObject({
    drafted: Counts,
    accepted: Counts,
    /** Absent in journals of earlier versions. */
    draft_passes: Counts.optional(),
    draft_seconds: z.array(Seconds).max(1_000_000),
    target_seconds: z.array(Seconds).max(1_000_000),
  }),
  elapsed_seconds: Seconds,
  peak_memory_bytes: Count,
});
export type DecodedEvent = z.infer<typeof DecodedEvent>;

/** Every later line of a journal. */
export const StudyEvent = z.discriminatedUnion('type', [
  /** A trial begins at `time` (ISO 8601). Trials are numbered by the caller. */
  z.strictObject({
    type: z.literal('started'),
    trial: Count,
    candidate: WrittenCandidate,
    time: z.iso.datetime(),
  }),
  /**
   * A trial ends with a score (speedup), its variance, named figures and how long it took; `rule` is the draft-length rule
   * that the score is for, where the score itself chose it.
   */
  z.strictObject({
    type: z.literal('finished'),
    trial: Count,
    rule: z.strictObject(ruleFields).optional(),
    score: z.number(),
    variance: z.number().nonnegative(),
    figures: Figures,
    seconds: z.number().nonnegative(),
    /** The machine that scored it, where that was a worker. */
    host: z.string().min(1).max(200).optional(),
  }),
  z.strictObject({ type: z.literal('failed'), trial: Count, reason: Text }),
  DecodedEvent,
  /** Anything about the whole study, such as the held-out measurement; the last note of a key holds. */
  z.strictObject({ type: z.literal('note'), key: z.string().min(1).max(200), value: z.json() }),
]);
export type StudyEvent = z.infer<typeof StudyEvent>;

/** The written form of a rule. */
export function writeRule<E extends string>({
  exit,
  draftLength,
  threshold,
}: {
  readonly exit: E;
  readonly draftLength: number;
  readonly threshold: number;
}) {
  return { draft_exit: exit, draft_length: draftLength, threshold };
}

/** The rule of a written form. */
export function readRule(written: Omit<WrittenCandidate, 'mask'>): SearchedRule {
  return {
    exit: written.draft_exit,
    draftLength: written.draft_length,
    threshold: written.threshold,
  };
}

/** The written form of a candidate. */
export function writeCandidate({ mask, draft }: Candidate): WrittenCandidate {
  return { mask: mask.join(''), ...writeRule(draft) };
}

/** The candidate of a written form. */
export function readCandidate(written: WrittenCandidate): Candidate {
  return { mask: Uint8Array.from(written.mask, Number), draft: readRule(written) };
}
