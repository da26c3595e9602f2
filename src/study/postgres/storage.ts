import { logStorage } from '../log-storage.js';
import type { StudyStorage } from '../storage.js';
import { parseAddress } from './address.js';
import type { HoldTimes } from './held-trial.js';
import { noteHost, type StudyHost } from './hosts.js';
import { postgresLog } from './log.js';
import type { QueueOwner } from './stray-queues.js';
import { openTrialQueue, type TrialQueue } from './trial-queue.js';

/** Studies in a database that many machines share, and their trials with them. */
export interface SharedStorage extends StudyStorage {
  /** The queue of a study's trials. @param isSearching whether this is the search, and not a worker. */
  openTrialQueue(owner: QueueOwner, isSearching: boolean, times?: HoldTimes): Promise<TrialQueue>;
  /** Keeps what a machine that joined a study told of itself. */
  noteHost(study: string, host: StudyHost): Promise<void>;
}

/**
 * Studies in a PostgreSQL database. Its tables are made by the first search.
 * @param reference such as `postgres://user@host:5432/database`; PGPASSWORD and ~/.pgpass are heeded.
 * @throws InputError for what is no such address. Nothing is connected to before it is needed.
 */
export function postgresStorage(reference: string): SharedStorage {
  const address = parseAddress(reference);
  return {
    ...logStorage(postgresLog(address)),
    openTrialQueue: (...options) => openTrialQueue(address, ...options),
    noteHost: (study, host) => noteHost(address, study, host),
  };
}

/** Whether other machines can take part in the studies of a storage. */
export function isShared(storage: StudyStorage): storage is SharedStorage {
  return 'openTrialQueue' in storage;
}
