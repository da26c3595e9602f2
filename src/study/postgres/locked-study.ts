import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { MAX_LINE_BYTES } from '../journal-file.js';
import { LockedError, type LockedStudy } from '../log.js';
import type { DatabaseAddress } from './address.js';
import { connect } from './connect.js';
import { databaseFailure, isConnectionLoss } from './failures.js';
import { migrate } from './migrations.js';
import { LONGEST_PAUSE_MILLISECONDS, PATIENCE_MILLISECONDS } from './patience.js';
import { endSession, holderText, tryLock } from './session-lock.js';

/** Events that are sent together. */
const BATCH = 1000;

const Id = z.array(z.object({ id: z.string() }));
const Count = z.tuple([z.object({ count: z.int() })]);
const Stored = z.array(z.object({ same: z.boolean() }));

/**
 * Takes a study's lock, making the tables when they are missing.
 * @throws LockedError when another process has it.
 */
export async function lockStudy(address: DatabaseAddress, name: string): Promise<LockedStudy> {
  const token = randomBytes(6).toString('hex');
  const client = await connect(address, token);
  try {
    await migrate(client, address);
    if (await tryLock(client, name)) return new PostgresStudy(address, name, token, client);
    const holder = await holderText(client, name);
    throw new LockedError(
      `The study "${name}" in ${address.shown} is held by ${holder}: wait for it, stop it, or use another study name.`,
      holder,
    );
  } catch (error) {
    await client.end().catch(() => {});
    throw databaseFailure(address, error);
  }
}

/**
 * A study whose lock this process holds. A connection that is lost is made anew, the lock taken again, and the study held against
 * what this process knows of it: only where nobody wrote meanwhile it goes on.
 */
class PostgresStudy implements LockedStudy {
  readonly #address: DatabaseAddress;
  readonly #name: string;
  readonly #token: string;
  #client: Client;
  #id = '';
  /** Events that are stored. */
  #count = 0;

  constructor(address: DatabaseAddress, name: string, token: string, client: Client) {
    this.#address = address;
    this.#name = name;
    this.#token = token;
    this.#client = client;
  }

  create(header: object, events: readonly object[] = []): Promise<void> {
    const texts = events.map((event) => JSON.stringify(event));
    return this.#surely(async () => {
      await this.#client.query('begin');
      await this.#client.query('delete from sspec.study where name = $1', [this.#name]);
      const { rows } = await this.#client.query(
        'insert into sspec.study (name, header) values ($1, $2) returning id::text',
        [this.#name, JSON.stringify(header)],
      );
      const { id } = Id.parse(rows)[0]!;
      for (let from = 0; from < texts.length; from += BATCH)
        await this.#client.query(
          `insert into sspec.event (study, number, event)
           select $1, $2 + place, event::json from unnest($3::text[]) with ordinality as t (event, place)`,
          [id, from, texts.slice(from, from + BATCH)],
        );
      await this.#client.query('commit');
      this.#id = id;
      this.#count = texts.length;
    });
  }

  resume(): Promise<void> {
    return this.#surely(async () => {
      const { rows } = await this.#client.query(
        'select id::text from sspec.study where name = $1',
        [this.#name],
      );
      const [study] = Id.parse(rows);
      if (!study)
        throw new InputError(`There is no study "${this.#name}" in ${this.#address.shown}.`);
      this.#id = study.id;
      this.#count = await this.#stored();
    });
  }

  append(event: object): Promise<void> {
    const text = JSON.stringify(event);
    if (Buffer.byteLength(text) > MAX_LINE_BYTES)
      throw new InputError(`An event of ${text.length} characters exceeds what a study may hold.`);
    const number = this.#count + 1;
    let isFirst = true;
    return this.#surely(async () => {
      // An answer may have been lost, and not the event.
      const isStored = !isFirst && (await this.#has(number, text));
      isFirst = false;
      if (!isStored)
        await this.#client.query(
          'insert into sspec.event (study, number, event) values ($1, $2, $3)',
          [this.#id, number, text],
        );
      this.#count = number;
    });
  }

  async close(): Promise<void> {
    // So that it is free when this resolves, and not when the server has noticed the end of the session.
    await this.#client.query('select pg_advisory_unlock_all()').catch(() => {});
    await this.#client.end().catch(() => {});
  }

  /** Does what may be done twice, on a new connection where one is lost. */
  async #surely(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isConnectionLoss(error)) {
          // Of a transaction that failed; outside of one it does nothing.
          await this.#client.query('rollback').catch(() => {});
          throw databaseFailure(this.#address, error);
        }
        await this.#reconnect(error);
      }
    }
  }

  async #stored(): Promise<number> {
    const { rows } = await this.#client.query(
      'select coalesce(max(number), 0) as count from sspec.event where study = $1',
      [this.#id],
    );
    return Count.parse(rows)[0].count;
  }

  /** Whether an event is stored under a number. @throws InputError when there is another. */
  async #has(number: number, text: string): Promise<boolean> {
    const { rows } = await this.#client.query(
      'select event::text = $3 as same from sspec.event where study = $1 and number >= $2',
      [this.#id, number, text],
    );
    const found = Stored.parse(rows);
    if (found.length === 0 && (await this.#stored()) === number - 1) return false;
    if (found.length === 1 && found[0]!.same) return true;
    throw new InputError(
      `The study "${this.#name}" in ${this.#address.shown} was written by another process while the connection was lost; resume it (--resume).`,
    );
  }

  /** @param cause why the connection is gone. */
  async #reconnect(cause: unknown): Promise<void> {
    const deadline = Date.now() + PATIENCE_MILLISECONDS;
    await this.close();
    for (let pause = 100; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)) {
      const client = await connect(this.#address, this.#token).catch(() => undefined);
      try {
        if (client && (await tryLock(client, this.#name))) {
          this.#client = client;
          return;
        }
        if (client) await endSession(client, this.#name, this.#token);
      } catch (error) {
        if (!isConnectionLoss(error)) throw databaseFailure(this.#address, error);
      }
      await client?.end().catch(() => {});
      if (Date.now() + pause > deadline) throw databaseFailure(this.#address, cause);
      await sleep(pause);
    }
  }
}
