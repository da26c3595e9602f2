/** What must hold of a study whose processes were killed, held against a search that was left alone. */
import type { Candidate } from '../../src/optimise/candidate.js';
import { candidateKey } from '../../src/optimise/candidate.js';
import { replayStudy } from '../../src/study/state.js';
import type { StudyRecord } from '../../src/study/storage.js';

/** The rungs that decode for real. */
const RUNGS = 2;

/** What a finished study came to. */
export interface CheckedStudy {
  readonly trials: number;
  /** Trials whose plan the other search scored too. */
  readonly equal_plans: number;
  readonly decodes: number;
  /** What should not be; empty where all is well. */
  readonly problems: readonly string[];
}

/** What is missing in `later` of what `earlier` had: events are only added. */
export function lostEvents(earlier: StudyRecord, later: StudyRecord): string[] {
  const had = earlier.events.length;
  const isKept = JSON.stringify(later.events.slice(0, had)) === JSON.stringify(earlier.events);
  return isKept ? [] : [`of ${had} events, not all are there as they were`];
}

/** @param trials how many the search was to run. @param reference the study of the same search, left alone. */
export function checkStudy(
  record: StudyRecord,
  reference: StudyRecord,
  trials: number,
): CheckedStudy {
  const problems: string[] = [];
  const { events } = record;
  for (let trial = 0; trial < trials; trial++) {
    const ends = events.filter((event) => event.type === 'finished' && event.trial === trial);
    if (ends.length !== 1) problems.push(`trial ${trial} ended ${ends.length} times`);
  }
  const { finished, notes } = replayStudy(record);
  if (finished.length !== trials) problems.push(`${finished.length} trials instead of ${trials}`);
  const known = new Map(
    replayStudy(reference).finished.map((trial) => [candidateKey(trial.proposed), resultOf(trial)]),
  );
  let equal = 0;
  for (const trial of finished) {
    const wanted = known.get(candidateKey(trial.proposed));
    if (wanted === undefined) continue;
    if (wanted === resultOf(trial)) equal++;
    else problems.push(`trial ${trial.number} came to something else than the same plan before`);
  }
  const decoded = events.flatMap((event) => (event.type === 'decoded' ? [event] : []));
  const places = decoded.map(({ measurement, method, prompt, repetition }) =>
    [measurement, method, prompt, repetition].join(),
  );
  if (new Set(places).size < places.length) problems.push('a generation was measured twice');
  const rungs = new Set(decoded.map(({ measurement }) => measurement)).size;
  if (rungs !== RUNGS) problems.push(`${rungs} measurements: one was begun anew`);
  if (!notes.has('result')) problems.push('the search did not come to its end');
  return { trials: finished.length, equal_plans: equal, decodes: decoded.length, problems };
}

/** Score, rule and figures, to the bit. */
function resultOf(trial: {
  readonly candidate: Candidate;
  readonly score: number;
  readonly figures: object;
}): string {
  const { candidate, score, figures } = trial;
  // A queue keeps the fields of an object in an order of its own.
  return JSON.stringify([candidateKey(candidate), score, Object.entries(figures).sort()]);
}
