import { hostname } from 'node:os';
import type { Client, ClientConfig, Pool } from 'pg';
import type { DatabaseAddress } from './address.js';
import { databaseFailure } from './failures.js';

/** A server that has not answered by then is none. */
const CONNECT_MILLISECONDS = 10_000;
/** A query that has not been answered by then was lost with its connection. */
const QUERY_MILLISECONDS = 60_000;
/** Connections for reading; the process need not wait for them at its end. */
const POOL = { max: 4, idleTimeoutMillis: 1000, allowExitOnIdle: true };

/** How anything here connects. @param token what tells the connection from others of this process. */
export function connectionSettings({ connectionString }: DatabaseAddress, token = '') {
  return {
    connectionString,
    application_name: `sspec ${process.pid} ${hostname().slice(0, 24)} ${token}`.trim(),
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    query_timeout: QUERY_MILLISECONDS,
    keepAlive: true,
  } satisfies ClientConfig;
}

/** Connections for whoever reads; made when they are needed. */
export async function openPool(address: DatabaseAddress): Promise<Pool> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ ...connectionSettings(address), ...POOL });
  // An idle connection that the server ended is replaced when it is needed.
  pool.on('error', () => {});
  return pool;
}

/**
 * A connection for whoever writes.
 * @param token tells it from others of this process.
 * @throws InputError when there is none to be had.
 */
export async function connect(address: DatabaseAddress, token: string): Promise<Client> {
  try {
    return await openSession(address, token);
  } catch (error) {
    throw databaseFailure(address, error);
  }
}

/** As {@link connect}, but throws what the driver throws. */
export async function openSession(address: DatabaseAddress, token: string): Promise<Client> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(connectionSettings(address, token));
  // Told by the next query; an error that nobody listens to would end the process.
  client.on('error', () => {});
  await client.connect();
  // Locks end with their session: the server is to notice within half a minute when this machine is gone.
  await client.query(
    'set synchronous_commit = on; set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3',
  );
  return client;
}
