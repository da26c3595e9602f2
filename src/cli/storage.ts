import { journalStorage } from '../study/journal.js';
import { isDatabaseAddress } from '../study/postgres/address.js';
import { postgresStorage } from '../study/postgres/storage.js';
import type { StudyStorage } from '../study/storage.js';

/**
 * The studies of a folder, or of a PostgreSQL database.
 * @throws InputError for an address of anything else.
 */
export function openStorage(reference: string): StudyStorage {
  return isDatabaseAddress(reference) ? postgresStorage(reference) : journalStorage(reference);
}
