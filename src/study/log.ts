/**
 * What a place that keeps studies has to do, and no more: for each study a list of records, the first its header, to which one
 * process at a time appends. What any study is held to (names, the form of records, the order of trials, who may go on with
 * what) is log-storage.ts's, so that a database needs nothing but this.
 */
import { InputError } from '../errors.js';
import type { StudyEvent, StudyHeader } from './events.js';

export interface StudyLog {
  /** Where the studies are, as errors name it. */
  readonly place: string;
  /** Where a study is, or the record of it that has this number, from 0; as errors name it. */
  placeOf(study: string, record?: number): string;
  /** Names of what is kept. */
  list(): Promise<string[]>;
  /**
   * The records of a study as they were written, unchecked; undefined where there is none. What an interrupted write left of a
   * record is none. Takes no lock.
   * @throws InputError when they cannot be read, also while they are gone through.
   */
  read(study: string): Promise<Iterable<unknown> | undefined>;
  /**
   * Takes a study, which need not be there, for this process alone.
   * @throws LockedError when another process has it.
   */
  lock(study: string): Promise<LockedStudy>;
  /**
   * Removes studies, damaged ones too: all of them or none.
   * @throws InputError when there is no such study. LockedError when another process has one.
   */
  remove(studies: readonly string[]): Promise<void>;
}

/** A study of a log that this process alone may write: first made or gone on with, then appended to. */
export interface LockedStudy {
  /** Makes it with this header, and with these events where it is a copy: all or nothing. What was there is dropped. */
  create(header: StudyHeader, events?: readonly StudyEvent[]): Promise<void>;
  /** Goes on behind the records that are there. */
  resume(): Promise<void>;
  /** Adds a record; once this resolves it survives a crash. Where it cannot be stored, nothing is left of it. */
  append(event: StudyEvent): Promise<void>;
  /** Gives the lock back; the last call. */
  close(): Promise<void>;
}

/** A living process, or one on another machine, has the lock. */
export class LockedError extends InputError {
  /** Who: `the running process 12`, `process 12 on host`. */
  readonly holder: string;

  /** @param message one sentence, by what the lock was wanted for. */
  constructor(message: string, holder: string) {
    super(message);
    this.holder = holder;
  }
}

/** @param place of the record, from {@link StudyLog.placeOf}. */
export function damagedRecord(place: string, reason: string): InputError {
  return new InputError(
    `${place}: the study's journal is damaged (${reason}); restore it, or start a study of another name.`,
  );
}
