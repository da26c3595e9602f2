import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage, makeFolder } from '../files.js';
import { StudyEvent, type StudyHeader, StudyStart } from './events.js';
import { MAX_JOURNAL_BYTES, MAX_LINE_BYTES, readJournal } from './journal-file.js';
import { acquireLock } from './lock.js';
import { removeJournals } from './remove.js';
import { checkSameStart } from './start-difference.js';
import { StudyState } from './state.js';
import type { OpenStudy, StudyRecord, StudyStorage } from './storage.js';

const EXTENSION = '.jsonl';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Studies as append-only JSONL files, `<name>.jsonl` in one folder: a header line, then a line per event. */
export function journalStorage(directory: string): StudyStorage {
  return {
    open: (name, start, options) => openStudy(directory, name, start, options),
    list: () => listStudies(directory),
    read: (name) => readStudy(directory, name),
    remove: async (names) => removeJournals(names.map((name) => studyPath(directory, name))),
  };
}

/**
 * Opens `directory/<name>.jsonl` for writing, under a lock file beside it; see `StudyStorage.open`. The folder is made
 * when missing. What an interrupted write left after the last newline is cut off.
 */
export async function openStudy(
  directory: string,
  name: string,
  start: StudyStart,
  { resume }: { resume: boolean },
): Promise<OpenStudy> {
  const path = studyPath(directory, name);
  const wanted = StudyStart.parse(start);
  try {
    makeFolder(directory);
  } catch (error) {
    throw new InputError(`Cannot make the study folder ${directory}: ${errorMessage(error)}`);
  }
  const release = acquireLock(`${path}.lock`);
  let fd: number | undefined;
  try {
    const found = readJournal(path);
    const content = found && (resume || hasEndedTrial(found.events)) ? found : undefined;
    if (content && !resume)
      throw new InputError(
        `${path} already holds a study: resume it (--resume), choose another study name, or remove it (sspec study rm ${name}).`,
      );
    if (content) checkSameStart(path, content.header, name, wanted);
    fd = openJournal(path);
    const file = new JournalFile(path, fd, content?.wholeBytes ?? 0);
    if (content) return opened(file, content.header, content.events, content.order, release);
    const created = new Date().toISOString();
    const header: StudyHeader = {
      schema: 'sspec-study',
      version: 1,
      study: name,
      created,
      ...wanted,
    };
    file.append(header);
    syncDirectory(directory);
    return opened(file, header, [], new StudyState(header.bits), release);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    release();
    throw error;
  }
}

/** Names of the studies in `directory`, sorted; none when the folder is missing. */
export async function listStudies(directory: string): Promise<string[]> {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith(EXTENSION))
      .map((file) => file.slice(0, -EXTENSION.length))
      .filter((name) => NAME.test(name))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`Cannot list the study folder ${directory}: ${errorMessage(error)}`);
  }
}

/**
 * Reads a study without locking it, so also one that is being written.
 * @throws InputError when there is no such study or it is damaged.
 */
export async function readStudy(directory: string, name: string): Promise<StudyRecord> {
  const path = studyPath(directory, name);
  const content = readJournal(path);
  if (!content) throw new InputError(`There is no study "${name}" in ${directory}.`);
  return { header: content.header, events: content.events };
}

function opened(
  file: JournalFile,
  header: StudyHeader,
  events: StudyEvent[],
  order: StudyState,
  release: () => void,
): OpenStudy {
  let closed = false;
  return {
    header,
    events,
    async append(event) {
      if (closed) throw new Error(`The study ${header.study} is closed.`);
      const checked = StudyEvent.parse(event);
      const fault = order.fault(checked);
      if (fault) throw new RangeError(`An event is out of order: ${fault}.`);
      file.append(checked);
      order.accept(checked);
      events.push(checked);
    },
    async close() {
      if (closed) return;
      closed = true;
      file.close();
      release();
    },
  };
}

/** The file under a study: every append is on the disk when it returns, or has left nothing behind. */
class JournalFile {
  readonly #path: string;
  readonly #fd: number;
  #bytes: number;

  /** @param bytes length of the content to keep; anything after it is cut off. */
  constructor(path: string, fd: number, bytes: number) {
    this.#path = path;
    this.#fd = fd;
    this.#bytes = bytes;
    ftruncateSync(fd, bytes);
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

function studyPath(directory: string, name: string): string {
  if (!NAME.test(name))
    throw new InputError(
      `"${name}" is no study name: use up to 100 letters, digits, dots, hyphens and underscores, a letter or digit first.`,
    );
  return join(directory, name + EXTENSION);
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

/** Whether a study has anything in it that a search does not make anew within moments. */
function hasEndedTrial(events: readonly StudyEvent[]): boolean {
  return events.some(({ type }) => type === 'finished' || type === 'failed');
}
