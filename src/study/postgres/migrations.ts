/** The tables, made and brought up to date by whoever writes first. */
import type { ClientBase } from 'pg';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { DatabaseAddress } from './address.js';

/**
 * Number n is element n - 1; what is there is never changed, only added to. An event is `json`, which keeps its text to the
 * letter (`jsonb` would not take U+0000), so that a study is the same in a database as in a journal.
 */
const MIGRATIONS: readonly string[] = [
  `create table sspec.study (
     id bigint generated always as identity primary key,
     name text not null unique,
     header json not null
   );
   create table sspec.event (
     study bigint not null references sspec.study on delete cascade,
     number integer not null,
     event json not null,
     primary key (study, number)
   );
   create view sspec.trial as
     select s.name as study,
       (e.event ->> 'trial')::integer as trial,
       coalesce(ended.event ->> 'type', 'open') as state,
       e.event -> 'candidate' as plan,
       (ended.event ->> 'score')::double precision as score,
       ended.event -> 'figures' as figures,
       ended.event ->> 'reason' as reason
     from sspec.study s
     join sspec.event e on e.study = s.id and e.event ->> 'type' = 'started'
     left join sspec.event ended on ended.study = s.id
       and ended.event ->> 'type' in ('finished', 'failed')
       and ended.event ->> 'trial' = e.event ->> 'trial'
     where not exists (
       select from sspec.event again
       where again.study = s.id and again.number > e.number
         and again.event ->> 'type' = 'started' and again.event ->> 'trial' = e.event ->> 'trial'
     );`,
  `create table sspec.host (
     study bigint not null references sspec.study on delete cascade,
     host text not null,
     machine json not null,
     calibration json not null,
     joined timestamptz not null default now(),
     primary key (study, host)
   );`,
];

/** Of the advisory lock under which tables are made: one at a time. */
const LOCK = 7_305_800_311;

const Version = z.tuple([z.object({ version: z.int().nullable() })]);

/**
 * Makes the tables, or what they lack.
 * @throws InputError when a later release made them.
 */
export async function migrate(client: ClientBase, address: DatabaseAddress): Promise<void> {
  if ((await versionOf(client, address)) === MIGRATIONS.length) return;
  // Before the transaction: one that had begun would wait with what it knew of the catalogue.
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  try {
    await client.query('begin');
    const version = await versionOf(client, address);
    if (version === 0)
      await client.query(
        'create schema if not exists sspec; create table if not exists sspec.migration (version integer primary key, applied timestamptz not null default now())',
      );
    for (let next = version; next < MIGRATIONS.length; next++) {
      await client.query(MIGRATIONS[next]!);
      await client.query('insert into sspec.migration (version) values ($1)', [next + 1]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    await client.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => {});
  }
}

/**
 * How many migrations the database has had; 0 where there are no tables.
 * @throws InputError when it has more than this release knows.
 */
export async function versionOf(client: ClientBase, address: DatabaseAddress): Promise<number> {
  const { rows: found } = await client.query("select to_regclass('sspec.migration') as version");
  if (found[0].version === null) return 0;
  const { rows } = await client.query('select max(version) as version from sspec.migration');
  const version = Version.parse(rows)[0].version ?? 0;
  if (version > MIGRATIONS.length)
    throw new InputError(
      `The studies in ${address.shown} are of a later release of sspec (tables ${version}, this one knows ${MIGRATIONS.length}); update sspec.`,
    );
  return version;
}
