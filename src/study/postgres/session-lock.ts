/**
 * Who writes a study: an advisory lock of its name, held by a session. The server gives it back when the session ends, however it
 * ends; nothing is left behind that a later process would have to judge.
 */
import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { z } from 'zod';

/** Of a study's name, in PostgreSQL's bigint. Two names of one key would only wait for each other. */
function keyOf(study: string): string {
  return createHash('sha256').update(`sspec study ${study}`).digest().readBigInt64BE().toString();
}

const Taken = z.tuple([z.object({ taken: z.boolean() })]);
const Holder = z.array(
  z.object({
    pid: z.int(),
    application_name: z.string().nullable(),
    address: z.string().nullable(),
  }),
);

/** Takes the lock for this session, if it is free. */
export async function tryLock(client: ClientBase, study: string): Promise<boolean> {
  const { rows } = await client.query('select pg_try_advisory_lock($1) as taken', [keyOf(study)]);
  return Taken.parse(rows)[0].taken;
}

/** Takes the lock for this transaction, if it is free. */
export async function tryTransactionLock(client: ClientBase, study: string): Promise<boolean> {
  const text = 'select pg_try_advisory_xact_lock($1) as taken';
  return Taken.parse((await client.query(text, [keyOf(study)])).rows)[0].taken;
}

/** The session that holds a lock; undefined when it has just gone. */
async function holderOf(client: ClientBase, study: string) {
  const { rows } = await client.query(
    `select a.pid, a.application_name, a.client_addr::text as address
     from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select oid from pg_database where datname = current_database())
       and (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`,
    [keyOf(study)],
  );
  return Holder.parse(rows)[0];
}

/** Who holds a lock, in words. */
export async function holderText(client: ClientBase, study: string): Promise<string> {
  const holder = await holderOf(client, study);
  const [, pid, host] = /^sspec (\d+) (\S+)/.exec(holder?.application_name ?? '') ?? [];
  if (pid !== undefined) return `process ${pid} on ${host}`;
  return holder?.address ? `another process on ${holder.address}` : 'another process';
}

/** Ends an earlier session of ours that the server has not noticed to be gone, so that its lock is free. */
export async function endSession(client: ClientBase, study: string, token: string): Promise<void> {
  const holder = await holderOf(client, study);
  if (holder?.application_name?.endsWith(` ${token}`))
    await client.query('select pg_terminate_backend($1)', [holder.pid]);
}
