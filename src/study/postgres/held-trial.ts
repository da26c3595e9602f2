/**
 * Who works on a trial: whoever has taken it holds an advisory lock of it, in a session of its own. The server ends the session when
 * the process dies or its machine is gone, and not before, so that a trial may take as long as it takes. A heartbeat that the process
 * itself had to send would stop during a long pass, which blocks its event loop.
 *
 * An hour (MOST_SECONDS) is what a trial may take in all, in case a process hangs on a machine that lives. A trial that no session
 * holds has GRACE_SECONDS left, in which a worker whose connection was cut takes its lock again.
 */
import type { Client } from 'pg';
import type PgBoss from 'pg-boss';
import type { DatabaseAddress } from './address.js';
import { openSession } from './connect.js';
import { patiently } from './patience.js';

export const MOST_SECONDS = 3600;
export const GRACE_SECONDS = 20;

/** The key of a lock, in SQL: the first half of the job's id, most of which is a hash. */
const keyOf = (id: string) => `('x' || left(replace(${id}::text, '-', ''), 16))::bit(64)::bigint`;

/** The hold that a process has on the one trial that it works on. */
export interface Hold {
  take(job: string): Promise<void>;
  release(): Promise<void>;
  close(): Promise<void>;
}

/** A session for holding trials; made when it is needed, and made anew where it is cut. */
export function createHold(address: DatabaseAddress): Hold {
  let session: Client | undefined;
  let held: string | undefined;
  let last = Promise.resolve();
  const lock = async () => {
    if (held === undefined) return;
    const own = session ?? (await open());
    session = own;
    try {
      // Shared: an earlier session of the same trial that the server still believes in does not matter.
      await own.query(`select pg_advisory_lock_shared(${keyOf('$1')})`, [held]);
    } catch (error) {
      session = undefined;
      own.end().catch(() => {});
      throw error;
    }
  };
  const inTurn = (work: () => Promise<void>) => {
    last = last.catch(() => {}).then(work);
    return last;
  };
  const open = async () => {
    const opened = await openSession(address, 'trial');
    opened.once('end', () => {
      if (session !== opened) return;
      session = undefined;
      // Where it fails, another does the trial too, to the same result.
      inTurn(() => patiently(address, lock)).catch(() => {});
    });
    return opened;
  };
  const release = async () => {
    held = undefined;
    await session?.query('select pg_advisory_unlock_all()').catch(() => {});
  };
  return {
    take(job) {
      held = job;
      return inTurn(() => patiently(address, lock));
    },
    release: () => inTurn(release),
    async close() {
      held = undefined;
      await inTurn(async () => {
        const closing = session;
        session = undefined;
        await closing?.end().catch(() => {});
      });
    },
  };
}

/** Gives trials that nobody works on back to the queue. */
export async function freeTrials(boss: PgBoss, schema: string, grace: number): Promise<void> {
  await boss.getDb().executeSql(
    `update ${schema}.job
     set expire_in = case when is_held then $1 else least(now() - started_on + $2::interval, $1) end
     from (
       select id as job, ${keyOf('id')} in (
           select classid::bigint << 32 | objid::bigint from pg_locks
           where locktype = 'advisory' and granted and objsubid = 1
             and database = (select oid from pg_database where datname = current_database())
         ) as is_held
       from ${schema}.job where state = 'active'
     ) as active
     where id = job and state = 'active' and is_held <> (expire_in = $1::interval)`,
    [`${MOST_SECONDS} seconds`, `${grace} seconds`],
  );
  await boss.expire();
}
