/** The log in a PostgreSQL database: a row for each study, its header in it, and a row for each event. */
import type { ClientBase, Pool } from 'pg';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { MAX_JOURNAL_BYTES } from '../journal-file.js';
import { LockedError, type StudyLog } from '../log.js';
import type { DatabaseAddress } from './address.js';
import { openPool } from './connect.js';
import { databaseFailure, isConnectionLoss } from './failures.js';
import { lockStudy } from './locked-study.js';
import { versionOf } from './migrations.js';
import { holderText, tryTransactionLock } from './session-lock.js';
import { deleteStrayQueues } from './stray-queues.js';

const Names = z.array(z.object({ name: z.string() }));
const Size = z.tuple([z.object({ bytes: z.coerce.number() })]);
const Records = z.array(z.object({ record: z.unknown() }));

/** The log of an address, as `journalStorage` has one of a folder. */
export function postgresLog(address: DatabaseAddress): StudyLog {
  let opened: Promise<Pool> | undefined;
  /** Runs in a transaction that sees one state of the database; `otherwise` where it has no tables yet. */
  const within = async <T>(
    work: (client: ClientBase) => Promise<T>,
    otherwise: T,
    isAgain = false,
  ): Promise<T> => {
    try {
      opened ??= openPool(address);
      const client = await (await opened).connect();
      let failure: Error | undefined;
      try {
        if ((await versionOf(client, address)) === 0) return otherwise;
        await client.query('begin isolation level repeatable read');
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        // A connection with a transaction that failed is not used again.
        client.release(failure);
      }
    } catch (error) {
      // An idle connection of before may be gone, with a server that was started anew.
      if (!isAgain && isConnectionLoss(error)) return within(work, otherwise, true);
      throw databaseFailure(address, error);
    }
  };
  const placeOf = (study: string, record?: number) =>
    `${address.shown}/${study}${record === undefined ? '' : `:${record + 1}`}`;
  return {
    place: address.shown,
    placeOf,
    list: () => within(listStudies, []),
    read: (study) => within((client) => readStudy(client, study, placeOf(study)), undefined),
    lock: (study) => lockStudy(address, study),
    async remove(studies) {
      const missing = await within((client) => removeStudies(client, studies, address), studies[0]);
      if (missing !== undefined)
        throw new InputError(`There is no study "${missing}" in ${address.shown}.`);
      // Whoever may not is no reason to keep a study: the next search deletes them.
      await within((client) => deleteStrayQueues((text) => client.query(text)), undefined).catch(
        () => {},
      );
    },
  };
}

async function listStudies(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query('select name from sspec.study order by name');
  return Names.parse(rows).map(({ name }) => name);
}

async function readStudy(
  client: ClientBase,
  study: string,
  place: string,
): Promise<Iterable<unknown> | undefined> {
  const size = await client.query(
    'select coalesce(sum(octet_length(event::text)), 0) as bytes from sspec.event join sspec.study on study = id where name = $1',
    [study],
  );
  const [{ bytes }] = Size.parse(size.rows);
  if (bytes > MAX_JOURNAL_BYTES)
    throw new InputError(`${place} has ${bytes} bytes; a study may have ${MAX_JOURNAL_BYTES}.`);
  const { rows } = await client.query(
    `select header as record, 0 as number from sspec.study where name = $1
     union all select event, number from sspec.event join sspec.study on study = id where name = $1
     order by number`,
    [study],
  );
  const records = Records.parse(rows).map(({ record }) => record);
  return records.length === 0 ? undefined : records;
}

/** @returns the first that there is not; then all are left. */
async function removeStudies(
  client: ClientBase,
  studies: readonly string[],
  { shown }: DatabaseAddress,
): Promise<string | undefined> {
  const known = new Set(await listStudies(client));
  const missing = studies.find((study) => !known.has(study));
  if (missing !== undefined) return missing;
  for (const study of new Set(studies)) {
    if (await tryTransactionLock(client, study)) continue;
    const holder = await holderText(client, study);
    throw new LockedError(
      `The study "${study}" in ${shown} is in use by ${holder}: wait for it or stop it first.`,
      holder,
    );
  }
  await client.query('delete from sspec.study where name = any($1)', [[...studies]]);
  return undefined;
}
