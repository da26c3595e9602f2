import { InputError } from '../errors.js';
import { journalStorage } from '../study/journal.js';
import { isDatabaseAddress } from '../study/postgres/address.js';
import { postgresStorage } from '../study/postgres/storage.js';
import type { StudyStorage } from '../study/storage.js';

/** A place that studies may be kept in: a log (src/study/log.ts) and a line below. */
interface StorageKind {
  recognises(reference: string): boolean;
  open(reference: string): StudyStorage;
}

/** The first that recognises a reference has it. */
const STORAGES: readonly StorageKind[] = [
  { recognises: isDatabaseAddress, open: postgresStorage },
  { recognises: () => true, open: journalStorage },
];

/**
 * The studies of a folder, or of a PostgreSQL database.
 * @throws InputError for an address of anything else.
 */
export function openStorage(reference: string): StudyStorage {
  try {
    return STORAGES.find(({ recognises }) => recognises(reference))!.open(reference);
  } catch (error) {
    if (error instanceof InputError) error.flag ??= 'storage';
    throw error;
  }
}
