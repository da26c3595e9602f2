/**
 * Who works on a trial: whoever has taken it holds an advisory lock of it, in a session of its own. The server ends the session when
 * the process dies or its machine is gone. A process that hangs keeps its session, so a trial is also leased: as long as the process
 * gets to its event loop it renews the lease, and a trial may take as long as it takes. A pass blocks the event loop, and the lease is
 * longer than any pass.
 *
 * A trial that no session holds has `grace` left, in which a worker whose connection was cut takes its lock again.
 */
import type { Client } from 'pg';
import type PgBoss from 'pg-boss';
import type { DatabaseAddress } from './address.js';
import { openSession } from './connect.js';
import { patiently } from './patience.js';

/** In seconds. */
export interface HoldTimes {
  /** That a trial whose worker is gone stays with it. */
  readonly grace: number;
  /** That it stays with a worker that is there and says nothing. */
  readonly lease: number;
}
export const HOLD_TIMES: HoldTimes = { grace: 20, lease: 600 };

/** Renewals in the time of a lease. */
const RENEWALS = 20;

/** The key of a lock, in SQL: the first half of the job's id, most of which is a hash. */
const keyOf = (id: string) => `('x' || left(replace(${id}::text, '-', ''), 16))::bit(64)::bigint`;

/** The hold that a process has on the one trial that it works on. */
export interface Hold {
  take(job: string): Promise<void>;
  release(): Promise<void>;
  close(): Promise<void>;
}

/** A session for holding trials; made when it is needed, and made anew where it is cut. */
export function createHold(
  address: DatabaseAddress,
  schema: string,
  { lease }: Pick<HoldTimes, 'lease'>,
): Hold {
  let session: Client | undefined;
  let held: string | undefined;
  let last = Promise.resolve();
  const renew = async () => {
    if (held === undefined || session === undefined) return;
    await session.query(
      `update ${schema}.job set expire_in = now() - started_on + $2::interval where id = $1 and state = 'active'`,
      [held, `${lease} seconds`],
    );
  };
  const lock = async () => {
    if (held === undefined) return;
    const own = session ?? (await open());
    session = own;
    try {
      // Shared: an earlier session of the same trial that the server still believes in does not matter.
      await own.query(`select pg_advisory_lock_shared(${keyOf('$1')})`, [held]);
      await renew();
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
  // Where the session is cut, taking the lock again renews too.
  const renewals = setInterval(() => inTurn(renew).catch(() => {}), (1000 * lease) / RENEWALS);
  renewals.unref();
  return {
    take(job) {
      held = job;
      return inTurn(() => patiently(address, lock));
    },
    release: () => inTurn(release),
    async close() {
      clearInterval(renewals);
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
export async function freeTrials(
  boss: PgBoss,
  schema: string,
  { grace }: Pick<HoldTimes, 'grace'>,
): Promise<void> {
  await boss.getDb().executeSql(
    `update ${schema}.job
     set expire_in = now() - started_on + $1::interval
     where state = 'active' and expire_in > now() - started_on + $1::interval
       and ${keyOf('id')} not in (
         select classid::bigint << 32 | objid::bigint from pg_locks
         where locktype = 'advisory' and granted and objsubid = 1
           and database = (select oid from pg_database where datname = current_database())
       )`,
    [`${grace} seconds`],
  );
  await boss.expire();
}
