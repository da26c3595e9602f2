/** The study of a search: the one that was asked for, or one of the default name. */
import { InputError } from '../errors.js';
import { numberedName, numberOfName } from './default-name.js';
import type { StudyStart } from './events.js';
import { LockedError } from './log.js';
import { startDifference } from './start-difference.js';
import type { OpenStudy, StudyStorage } from './storage.js';

/** Which study a search wants. */
export interface WantedStudy {
  /** The name that was asked for; undefined for the default name. */
  readonly asked: string | undefined;
  readonly defaultName: string;
  readonly resume: boolean;
  readonly start: StudyStart;
}

/** The study of a search; its name stands in the header. */
export interface SearchStudy {
  readonly study: OpenStudy;
  /** What to tell of the choice; undefined where nothing was chosen. */
  readonly notice: string | undefined;
}

/**
 * Opens a search's study. A name that was asked for is taken as it is. Of the default name it is the first number that is
 * free, and with `resume` the latest study that has the same start, if there is one.
 * @throws InputError as `StudyStorage.open`.
 */
export async function openSearchStudy(
  storage: StudyStorage,
  { asked, defaultName, resume, start }: WantedStudy,
): Promise<SearchStudy> {
  if (asked !== undefined)
    return { study: await storage.open(asked, start, { resume }), notice: undefined };
  if (!resume) return { study: await openFree(storage, defaultName, start), notice: undefined };
  const { fitting, difference } = await latestStudy(storage, defaultName, start);
  if (fitting !== undefined) {
    const study = await storage.open(fitting, start, { resume: true });
    return { study, notice: `Going on with study ${fitting}.` };
  }
  const study = await openFree(storage, defaultName, start);
  if (difference === undefined) return { study, notice: undefined };
  return { study, notice: `${difference}: a new study is begun, ${study.header.study}.` };
}

/** The first number that nobody has; a search that starts at the same time may take one before us. */
async function openFree(
  storage: StudyStorage,
  name: string,
  start: StudyStart,
): Promise<OpenStudy> {
  for (let number = 1; ; number++) {
    const numbered = numberedName(name, number);
    try {
      return await storage.open(numbered, start, { resume: false });
    } catch (error) {
      // There is a study of that name, or a file that cannot be read as one. Any other fault is one of the folder.
      const isTaken = error instanceof LockedError || (await storage.list()).includes(numbered);
      if (!isTaken) throw error;
    }
  }
}

/** The study of a default name that began last among those with the same start; else how the latest differs. */
async function latestStudy(storage: StudyStorage, defaultName: string, start: StudyStart) {
  const studies = [];
  for (const name of await storage.list()) {
    const number = numberOfName(name, defaultName);
    const header = number === undefined ? undefined : await headerOf(storage, name);
    if (number !== undefined && header?.study === name) studies.push({ name, number, header });
  }
  studies.sort((a, b) => b.header.created.localeCompare(a.header.created) || b.number - a.number);
  const fitting = studies.find(({ header }) => !startDifference(header, start))?.name;
  const [latest] = studies;
  const different = latest && startDifference(latest.header, start);
  const difference = different && `Study ${latest.name} ${different}`;
  return { fitting, difference };
}

/** undefined for a study that cannot be read: it cannot be gone on with either. */
async function headerOf(storage: StudyStorage, name: string) {
  try {
    return (await storage.read(name)).header;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
