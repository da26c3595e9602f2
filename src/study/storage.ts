import type { StudyEvent, StudyHeader, StudyStart } from './events.js';

/** A study as it stands: what its header says and every event so far, in order. */
export interface StudyRecord {
  readonly header: StudyHeader;
  readonly events: readonly StudyEvent[];
}

/** A study that this process alone may write. */
export interface OpenStudy extends StudyRecord {
  /**
   * Adds one event; once this resolves the event survives a crash.
   * @throws InputError when it cannot be stored.
   * @throws RangeError when the event does not follow from those before it (a trial finished that never started).
   */
  append(event: StudyEvent): Promise<void>;
  /** Lets others write the study. Calling it twice does nothing. */
  close(): Promise<void>;
}

/** Where studies are kept; log-storage.ts makes one of anything that can keep a log. */
export interface StudyStorage {
  /** Where it is, as it may be told: a password is not in it. */
  readonly place: string;
  /**
   * Opens a study for writing, making it when it is not there. Without `resume`, one of which no trial has ended is made
   * anew: there is nothing in it to be lost.
   * @throws InputError when it is there and `resume` is false; when it was started with another header than `start`
   * (the message names the field); when it is damaged. LockedError when another process is writing it.
   */
  open(name: string, start: StudyStart, options: { resume: boolean }): Promise<OpenStudy>;
  /**
   * Keeps a study that was read elsewhere, whole or not at all.
   * @throws InputError when there is one of that name, or it cannot be stored. LockedError when another process is writing one.
   */
  add(name: string, record: StudyRecord): Promise<void>;
  /** Names of the studies kept, sorted. */
  list(): Promise<string[]>;
  /** @throws InputError when there is no such study or it is damaged. */
  read(name: string): Promise<StudyRecord>;
  /**
   * Removes studies, damaged ones too: all of them or none.
   * @throws InputError when there is no such study. LockedError when another process is writing one.
   */
  remove(names: readonly string[]): Promise<void>;
}
