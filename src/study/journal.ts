/** The log in files: a folder with a journal for each study, `<name>.jsonl`, a header line and then a line per event. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage, makeFolder, writeFileAtomic } from '../files.js';
import type { StudyEvent, StudyHeader } from './events.js';
import { MAX_JOURNAL_BYTES, MAX_LINE_BYTES, readJournal, wholeBytes } from './journal-file.js';
import { acquireLock } from './lock.js';
import type { LockedStudy, StudyLog } from './log.js';
import { logStorage } from './log-storage.js';
import { removeJournals } from './remove.js';
import type { StudyStorage } from './storage.js';

const EXTENSION = '.jsonl';

/** Studies as append-only JSONL files in one folder. */
export function journalStorage(directory: string): StudyStorage {
  return logStorage(journalLog(directory));
}

function journalLog(directory: string): StudyLog {
  const pathOf = (study: string) => join(directory, study + EXTENSION);
  return {
    place: directory,
    placeOf: (study, record) =>
      record === undefined ? pathOf(study) : `${pathOf(study)}:${record + 1}`,
    list: async () => listJournals(directory),
    read: async (study) => readJournal(pathOf(study)),
    lock: async (study) => lockJournal(directory, pathOf(study)),
    remove: async (studies) => removeJournals(studies.map(pathOf)),
  };
}

/** Names of the journals in a folder; none when it is missing. */
function listJournals(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith(EXTENSION))
      .map((file) => file.slice(0, -EXTENSION.length));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`Cannot list the study folder ${directory}: ${errorMessage(error)}`);
  }
}

/** Takes the lock file beside a journal, for which the folder is made when missing. */
function lockJournal(directory: string, path: string): LockedStudy {
  try {
    makeFolder(directory);
  } catch (error) {
    throw new InputError(`Cannot make the study folder ${directory}: ${errorMessage(error)}`);
  }
  const release = acquireLock(`${path}.lock`);
  let file: JournalFile | undefined;
  return {
    async create(header, events) {
      if (events) {
        writeJournal(path, [header, ...events]);
        return;
      }
      file = new JournalFile(path, 0);
      try {
        file.append(header);
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      }
      syncDirectory(directory);
    },
    async resume() {
      file = new JournalFile(path, wholeBytes(path));
    },
    async append(event) {
      if (!file) throw new Error(`The journal ${path} was neither made nor gone on with.`);
      file.append(event);
    },
    async close() {
      file?.close();
      release();
    },
  };
}

/** Writes a whole journal at once. */
function writeJournal(path: string, records: readonly (StudyHeader | StudyEvent)[]): void {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  const bytes = Buffer.from(lines.join(''));
  if (bytes.length > MAX_JOURNAL_BYTES)
    throw new InputError(`${path}: ${bytes.length} bytes exceed what a study may hold.`);
  writeFileAtomic(path, bytes);
}

/** The file under a study: every append is on the disk when it returns, or has left nothing behind. */
class JournalFile {
  readonly #path: string;
  readonly #fd: number;
  #bytes: number;

  /** @param bytes length of the content to keep; anything after it is cut off. */
  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#fd = openJournal(path);
    this.#bytes = bytes;
    ftruncateSync(this.#fd, bytes);
  }

  append(record: StudyHeader | StudyEvent): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    if (line.length > MAX_LINE_BYTES || this.#bytes + line.length > MAX_JOURNAL_BYTES)
      throw new InputError(
        `${this.#path}: a line of ${line.length} bytes exceeds what a study may hold.`,
      );
    try {
      for (let at = 0; at < line.length; )
        at += writeSync(this.#fd, line, at, line.length - at, this.#bytes + at);
      fsyncSync(this.#fd);
    } catch (error) {
      ftruncateSync(this.#fd, this.#bytes);
      throw new InputError(`Cannot write the study ${this.#path}: ${errorMessage(error)}`);
    }
    this.#bytes += line.length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Opens for reading and writing without truncating, making the file when missing. */
function openJournal(path: string): number {
  try {
    closeSync(openSync(path, 'a'));
    return openSync(path, 'r+');
  } catch (error) {
    throw new InputError(`Cannot open the study ${path}: ${errorMessage(error)}`);
  }
}

/** Makes a new file's name durable, where the platform lets a folder be synced. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
