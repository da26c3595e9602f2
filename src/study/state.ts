/** What a study's events come to. Events are replayed here and nowhere else; what is shown of a study is read from the state. */
import type { Candidate } from '../optimise/candidate.js';
import { type DecodedEvent, readCandidate, readRule, type StudyEvent } from './events.js';
import type { StudyRecord } from './storage.js';

/** A finished trial: what was proposed, and what it came to. */
export interface Trial {
  readonly number: number;
  /** As the sampler proposed it. */
  readonly proposed: Candidate;
  /** What was proposed, with the draft-length rule that the score is for. */
  readonly candidate: Candidate;
  /** The study's objective, a speedup; more is better. */
  readonly score: number;
  readonly variance: number;
  readonly figures: Readonly<Record<string, number>>;
}

interface BegunTrial extends Pick<Trial, 'number' | 'proposed'> {
  /** When it began, for the last time where it was interrupted: ISO 8601. */
  readonly started: string;
}

/** A trial that runs now, or was interrupted. */
export interface OpenTrial extends BegunTrial {
  readonly state: 'open';
}

export interface FailedTrial extends BegunTrial {
  readonly state: 'failed';
  readonly reason: string;
}

export interface ScoredTrial extends BegunTrial, Trial {
  readonly state: 'finished';
  readonly seconds: number;
}

export type NoteValue = Extract<StudyEvent, { type: 'note' }>['value'];

/** Which generation of a measurement. */
export type DecodedPlace = Pick<DecodedEvent, 'measurement' | 'method' | 'prompt' | 'repetition'>;

/** Trials, notes and generations after the events so far. */
export class StudyState {
  readonly #bits: number;
  readonly #trials = new Map<number, OpenTrial | FailedTrial | ScoredTrial>();
  readonly #finished: ScoredTrial[] = [];
  readonly #notes = new Map<string, NoteValue>();
  readonly #decoded = new Map<string, DecodedEvent>();

  /** @param bits 2L, the length of the study's masks. */
  constructor(bits: number) {
    this.#bits = bits;
  }

  /** All trials, by their numbers. */
  get trials(): (OpenTrial | FailedTrial | ScoredTrial)[] {
    return [...this.#trials.values()].sort((a, b) => a.number - b.number);
  }

  /** The finished ones, in the order in which they ended: that in which a sampler was told of them. */
  get finished(): readonly ScoredTrial[] {
    return this.#finished;
  }

  /** The last note of every key. */
  get notes(): ReadonlyMap<string, NoteValue> {
    return this.#notes;
  }

  /** The generation that a measurement has of a prompt; undefined where it has none yet. */
  decoded(place: DecodedPlace): DecodedEvent | undefined {
    return this.#decoded.get(keyOf(place));
  }

  /**
   * What is wrong with `event` as the next one, or undefined when it is in order: a trial starts with a mask of the study's
   * length, and finishes or fails once, after it started. A trial that started and did not end may start again: that is how
   * an interrupted one is resumed. A generation is measured once. Changes nothing.
   */
  fault(event: StudyEvent): string | undefined {
    if (event.type === 'note') return undefined;
    if (event.type === 'decoded') {
      const { method, prompt } = event;
      return this.decoded(event) && `prompt ${prompt} was decoded with ${method} already`;
    }
    const { trial } = event;
    const known = this.#trials.get(trial);
    if (known && known.state !== 'open') return `trial ${trial} had already ended`;
    if (event.type !== 'started')
      return known ? undefined : `trial ${trial} ends without having started`;
    const { length } = event.candidate.mask;
    if (length === this.#bits) return undefined;
    return `the mask of trial ${trial} has ${length} bits, not ${this.#bits}`;
  }

  /** Takes an event that is in order. */
  accept(event: StudyEvent): void {
    if (event.type === 'note') {
      this.#notes.set(event.key, event.value);
      return;
    }
    if (event.type === 'decoded') {
      this.#decoded.set(keyOf(event), event);
      return;
    }
    const { trial: number } = event;
    if (event.type === 'started') {
      const proposed = readCandidate(event.candidate);
      this.#trials.set(number, { state: 'open', number, proposed, started: event.time });
      return;
    }
    const { proposed, started } = this.#trials.get(number)!;
    const begun = { number, proposed, started };
    if (event.type === 'failed') {
      this.#trials.set(number, { state: 'failed', ...begun, reason: event.reason });
      return;
    }
    const { rule, score, variance, figures, seconds } = event;
    const candidate = rule ? { mask: proposed.mask, draft: readRule(rule) } : proposed;
    const trial = { ...begun, candidate, score, variance, figures, seconds };
    const finished: ScoredTrial = { state: 'finished', ...trial };
    this.#trials.set(number, finished);
    this.#finished.push(finished);
  }
}

function keyOf({ measurement, method, prompt, repetition }: DecodedPlace): string {
  return `${measurement} ${prompt} ${repetition} ${method}`;
}

/** The state after all events of a study, which are in order. */
export function replayStudy({ header, events }: StudyRecord): StudyState {
  const state = new StudyState(header.bits);
  for (const event of events) state.accept(event);
  return state;
}
