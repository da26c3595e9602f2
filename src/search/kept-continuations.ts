/**
 * The target's continuations of calibration prompts, kept in the study as they are made: on a large model a token takes a second, and
 * a search that was interrupted, or a worker that joins it, would make hours of them again. Their keys and values are one pass away.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { replayStudy } from '../study/state.js';
import type { OpenStudy, StudyRecord } from '../study/storage.js';
import type { ReferenceSettings } from './replay/reference.js';

/** Notes with this and a number. */
const KEY = 'continuations';
/** Between two notes: what is made fast goes into one. */
const PAUSE_MILLISECONDS = 10_000;

const Kept = z.record(z.string(), z.array(z.int().nonnegative()));

/** What a study has, and where more of it goes. */
export interface KeptContinuations {
  /** What there is of a prompt; no tokens where its continuation has a single one, undefined where it is not known. */
  find(prompt: readonly number[]): readonly number[] | undefined;
  keep(prompt: readonly number[], tokens: readonly number[]): Promise<void>;
  /** To be called behind the last. */
  finish(): Promise<void>;
}

/**
 * @param settings that continuations depend on.
 * @param append keeps more of them; a worker has none.
 */
export function keptContinuations(
  study: StudyRecord,
  settings: ReferenceSettings,
  append?: OpenStudy['append'],
): KeptContinuations {
  const notes = [...replayStudy(study).notes].filter(([key]) => key.startsWith(KEY));
  const known = new Map(
    notes.flatMap(([, value]) => Object.entries(Kept.safeParse(value).data ?? {})),
  );
  let made: Record<string, number[]> = {};
  let last = performance.now();
  let number = notes.length;
  const finish = async () => {
    if (Object.keys(made).length === 0) return;
    await append?.({ type: 'note', key: `${KEY} ${number++}`, value: made });
    made = {};
    last = performance.now();
  };
  return {
    find: (prompt) => known.get(hashOf(prompt, settings)),
    async keep(prompt, tokens) {
      made[hashOf(prompt, settings)] = [...tokens];
      if (performance.now() - last > PAUSE_MILLISECONDS) await finish();
    },
    finish,
  };
}

function hashOf(prompt: readonly number[], settings: ReferenceSettings): string {
  const { maxNewTokens, sampling, coupling } = settings;
  const { temperature, topK, topP, minP, seed } = sampling;
  const identity = [prompt, maxNewTokens, temperature, topK, topP, minP, seed, coupling];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
}
