import { InputError } from '../errors.js';
import { journalStorage } from '../study/journal.js';
import type { StudyStorage } from '../study/storage.js';

/** @throws InputError for a storage that this version cannot use. */
export function openStorage(reference: string): StudyStorage {
  if (/^[a-z]+:\/\//i.test(reference))
    throw new InputError(
      `--storage is "${reference}": this version keeps studies in a folder only; give its path.`,
    );
  return journalStorage(reference);
}
