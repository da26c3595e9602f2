/** Studies over any log: what they must be named, what may be written to them, and when one may be gone on with. */
import type { z } from 'zod';
import { InputError } from '../errors.js';
import { StudyEvent, StudyHeader, StudyStart } from './events.js';
import { damagedRecord, type LockedStudy, type StudyLog } from './log.js';
import { checkSameStart } from './start-difference.js';
import { StudyState } from './state.js';
import type { OpenStudy, StudyStorage } from './storage.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The studies that a log keeps. */
export function logStorage(log: StudyLog): StudyStorage {
  return {
    place: log.place,
    async open(name, start, { resume }) {
      checkName(name);
      const wanted = StudyStart.parse(start);
      const lock = await log.lock(name);
      try {
        const content = await openContent(log, lock, name, wanted, resume);
        return openStudy(lock, content);
      } catch (error) {
        await lock.close();
        throw error;
      }
    },
    async add(name, { header, events }) {
      checkName(name);
      const lock = await log.lock(name);
      try {
        if (await log.read(name))
          throw new InputError(
            `${log.placeOf(name)} already holds a study: remove it first (sspec study rm ${name}).`,
          );
        await lock.create(header, events);
      } finally {
        await lock.close();
      }
    },
    async list() {
      return (await log.list()).filter((name) => NAME.test(name)).sort();
    },
    async read(name) {
      checkName(name);
      const content = await readContent(log, name);
      if (!content) throw new InputError(`There is no study "${name}" in ${log.place}.`);
      return { header: content.header, events: content.events };
    },
    async remove(names) {
      names.forEach(checkName);
      await log.remove(names);
    },
  };
}

function checkName(name: string): void {
  if (!NAME.test(name))
    throw new InputError(
      `"${name}" is no study name: use up to 100 letters, digits, dots, hyphens and underscores, a letter or digit first.`,
    );
}

/** What a study holds, and what its events come to. */
interface Content {
  readonly header: StudyHeader;
  readonly events: StudyEvent[];
  readonly state: StudyState;
}

/**
 * The content of a study, checked.
 * @returns undefined when there is none, not even a whole header.
 * @throws InputError naming the record that is damaged.
 */
async function readContent(log: StudyLog, name: string): Promise<Content | undefined> {
  let content: Content | undefined;
  let number = 0;
  for (const record of (await log.read(name)) ?? []) {
    const place = log.placeOf(name, number++);
    if (!content) {
      const header = parseRecord(StudyHeader, record, place);
      content = { header, events: [], state: new StudyState(header.bits) };
    } else {
      const event = parseRecord(StudyEvent, record, place);
      const fault = content.state.fault(event);
      if (fault) throw damagedRecord(place, fault);
      content.state.accept(event);
      content.events.push(event);
    }
  }
  return content;
}

function parseRecord<T>(schema: z.ZodType<T>, record: unknown, place: string): T {
  const parsed = schema.safeParse(record);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw damagedRecord(place, `${field}${issue?.message}`);
}

/** Goes on with the study that is there, or makes it. */
async function openContent(
  log: StudyLog,
  lock: LockedStudy,
  name: string,
  wanted: StudyStart,
  resume: boolean,
): Promise<Content> {
  const found = await readContent(log, name);
  // One of which no trial has ended holds nothing that a search does not make anew within moments.
  const isKept = found?.state.trials.some(({ state }) => state !== 'open');
  if (found && isKept && !resume)
    throw new InputError(
      `${log.placeOf(name)} already holds a study: resume it (--resume), choose another study name, or remove it (sspec study rm ${name}).`,
    );
  if (found && resume) {
    checkSameStart(log.placeOf(name), found.header, name, wanted);
    await lock.resume();
    return found;
  }
  const created = new Date().toISOString();
  const header: StudyHeader = {
    schema: 'sspec-study',
    version: 1,
    study: name,
    created,
    ...wanted,
  };
  await lock.create(header);
  return { header, events: [], state: new StudyState(header.bits) };
}

function openStudy(lock: LockedStudy, { header, events, state }: Content): OpenStudy {
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();
  const append = async (event: StudyEvent) => {
    const checked = StudyEvent.parse(event);
    const fault = state.fault(checked);
    if (fault) throw new RangeError(`An event is out of order: ${fault}.`);
    await lock.append(checked);
    state.accept(checked);
    events.push(checked);
  };
  return {
    header,
    events,
    append(event) {
      if (isClosed) return Promise.reject(new Error(`The study ${header.study} is closed.`));
      // One after the other: whether an event is in order depends on those before it.
      const appended = last.then(() => append(event));
      last = appended.catch(() => {});
      return appended;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await last;
      await lock.close();
    },
  };
}
