import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import type { StudyEvent, StudyStart } from '../../../src/study/events.js';
import { journalStorage } from '../../../src/study/journal.js';
import { LockedError } from '../../../src/study/log.js';
import { parseAddress } from '../../../src/study/postgres/address.js';
import { postgresLog } from '../../../src/study/postgres/log.js';
import { postgresStorage } from '../../../src/study/postgres/storage.js';
import {
  hasPostgres,
  PASSWORD,
  startPostgres,
  type TestServer,
  WITHOUT_POSTGRES,
} from '../../helpers/postgres.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { describeLog } from '../log-contract.js';

const start: StudyStart = { sampler: 'random', seed: 1, bits: 4, context: {} };
const note = (value: number): StudyEvent => ({ type: 'note', key: 'k', value });
const values = (events: readonly StudyEvent[]) =>
  events.map((event) => (event.type === 'note' ? event.value : null));

describe.runIf(hasPostgres)(`studies in PostgreSQL${WITHOUT_POSTGRES}`, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres(temporaryDirectory());
  });
  afterAll(() => server.stop('immediate'));

  describeLog('a PostgreSQL database', async () => {
    await server.sql('drop schema if exists sspec cascade', 'studies');
    const log = postgresLog(parseAddress(server.url()));
    return {
      log,
      async put(study, [header, ...events]) {
        const text = (value: unknown) => JSON.stringify(value).replaceAll("'", "''");
        await server.sql(
          `delete from sspec.study where name = '${study}';
           insert into sspec.study (name, header) values ('${study}', '${text(header)}');` +
            events
              .map(
                (event, i) =>
                  `insert into sspec.event select id, ${i + 1}, '${text(event)}' from sspec.study where name = '${study}'`,
              )
              .join(';'),
          'studies',
        );
      },
    };
  });

  describe('that fails', () => {
    const messageOf = async (work: Promise<unknown>) => {
      const error: unknown = await work.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(error).toBeInstanceOf(InputError);
      const text = String(error);
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(encodeURIComponent(PASSWORD));
      expect(text).not.toContain('\n');
      return text;
    };

    it('says in a sentence what is wrong, never the password', async () => {
      const { url } = server;
      const list = (address: string) => messageOf(postgresStorage(address).list());
      const open = (address: string) =>
        messageOf(postgresStorage(address).open('s', start, { resume: true }));
      for (const attempt of [list, open]) {
        expect(await attempt(url('owner', 'studies', `${PASSWORD}x`))).toMatch(
          /postgres:\/\/owner@127\.0\.0\.1:\d+\/studies: the server refuses user or password/,
        );
        expect(await attempt(url('nobody'))).toContain('refuses user or password');
        expect(await attempt(url('owner', 'nowhere'))).toContain('no database of that name');
        expect(await attempt(url().replace(/:\d+\/studies/, ':1/studies'))).toContain(
          'no server listens there',
        );
        expect(await attempt(url().replace('127.0.0.1', 'no.such.host.invalid'))).toMatch(
          /the host is not known|cannot be looked up/,
        );
      }
      await server.sql('revoke all on schema public from public', 'empty');
      expect(await open(url('reader', 'empty'))).toContain('this user lacks rights there');
      expect(await postgresStorage(url('reader', 'empty')).list()).toEqual([]);
      expect(() => postgresStorage('mysql://u:secret@h/d')).toThrow(/not at mysql:\/\/\.$/);
      expect(() => postgresStorage('postgres://u:se%zzcret@h/d')).toThrow(/^[^z]*cannot be read/);
      expect(() => postgresStorage('postgres://u:secret@h')).toThrow(
        'postgres://u@h names no database',
      );
    });

    it('refuses tables of a later release', async () => {
      const storage = postgresStorage(server.url());
      await (await storage.open('s', start, { resume: true })).close();
      await server.sql('insert into sspec.migration (version) values (999)', 'studies');
      expect(await messageOf(storage.list())).toContain('of a later release');
      expect(await messageOf(storage.open('s', start, { resume: true }))).toContain('update sspec');
      await server.sql('delete from sspec.migration where version = 999', 'studies');
    });

    it('tells of a full disk, and stores nothing of what failed', async () => {
      const study = await postgresStorage(server.url()).open('full', start, { resume: true });
      await study.append(note(0));
      // Raised where a full disk would raise it: in the middle of the insert.
      await server.sql(
        `create function sspec.full_disk() returns trigger language plpgsql as
           $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
         create trigger full_disk after insert on sspec.event for each row execute function sspec.full_disk()`,
        'studies',
      );
      expect(await messageOf(study.append(note(1)))).toContain('the disk of the server is full');
      await server.sql('drop function sspec.full_disk cascade', 'studies');
      await study.append(note(2));
      await study.close();
      expect(values((await postgresStorage(server.url()).read('full')).events)).toEqual([0, 2]);
    });
  });

  describe('whose connection is lost', () => {
    const trial = async (name: string, during: (step: number) => Promise<void>) => {
      const study = await postgresStorage(server.url()).open(name, start, { resume: false });
      for (let i = 0; i < 12; i++) {
        const appended = study.append(note(i));
        await during(i);
        await appended;
      }
      await study.close();
      const { events } = await postgresStorage(server.url()).read(name);
      expect(values(events)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    };
    const cut = () =>
      server.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sspec%'",
      );

    it('goes on when sessions are cut, nothing lost and nothing doubled', () =>
      trial('cut', async () => void (await cut())));

    it('goes on when the server restarts, also after a loss of power', () =>
      trial('restart', async (step) => {
        if (step % 4 !== 1) return;
        await server.stop(step === 5 ? 'immediate' : 'fast');
        await server.start();
      }));

    it('goes on when the answer was lost and not the event, and when the server has not noticed', async () => {
      const proxy = await startProxy(server.port);
      const address = server.url().replace(`:${server.port}/`, `:${proxy.port}/`);
      const study = await postgresStorage(address).open('lost', start, { resume: false });
      for (let i = 0; i < 6; i++) {
        // Half-open: the server still has the session, and with it the lock.
        if (i % 2 === 1) proxy.dropAnswers();
        await study.append(note(i));
      }
      await study.close();
      proxy.close();
      const { events } = await postgresStorage(server.url()).read('lost');
      expect(values(events)).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('stops when another process has written the study meanwhile', async () => {
      const study = await postgresStorage(server.url()).open('taken', start, { resume: false });
      await study.append(note(0));
      await server.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sspec%';
         insert into sspec.event select id, 2, '{"type":"note","key":"k","value":9}' from sspec.study where name = 'taken'`,
        'studies',
      );
      await expect(study.append(note(1))).rejects.toThrow('was written by another process');
      await study.close();
      const { events } = await postgresStorage(server.url()).read('taken');
      expect(values(events)).toEqual([0, 9]);
    });
  });

  describe('that several want', () => {
    beforeEach(() => server.sql('drop schema if exists sspec cascade', 'studies'));

    it('lets one write, names it, and frees the study when it is killed', async () => {
      const script = new URL('hold-study.ts', import.meta.url).pathname;
      const child = spawn(
        process.execPath,
        ['--import', './test/register-typescript.mjs', script, server.url()],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(child.stdout, 'data');
      const storage = postgresStorage(server.url());
      const error = await storage.open('s', start, { resume: true }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(LockedError);
      expect(String(error)).toContain(`is held by process ${child.pid} on `);
      child.kill('SIGKILL');
      await once(child, 'exit');
      // The server notices at once when a process ends; a machine, by its keepalives.
      let study: Awaited<ReturnType<typeof storage.open>> | undefined;
      for (let i = 0; i < 50 && !study; i++) {
        await new Promise((done) => setTimeout(done, 100));
        study = await storage.open('s', start, { resume: true }).catch(() => undefined);
      }
      expect(values(study!.events)).toEqual([7]);
      await study!.close();
    });

    it('makes the tables once, whoever comes first', async () => {
      const names = Array.from({ length: 8 }, (_, i) => `s${i}`);
      const opened = await Promise.all(
        names.map((name) => postgresStorage(server.url()).open(name, start, { resume: true })),
      );
      await Promise.all(opened.map((study) => study.append(note(1))));
      await Promise.all(opened.map((study) => study.close()));
      expect(await postgresStorage(server.url()).list()).toEqual(names);
    });

    it('has trials as a view for whoever asks in SQL', async () => {
      const study = await postgresStorage(server.url()).open('v', start, { resume: true });
      const candidate = {
        mask: '0110',
        draft_exit: 'fixed' as const,
        draft_length: 4,
        threshold: 0,
      };
      const time = '2026-01-02T03:04:05Z';
      for (const trial of [0, 1, 1])
        await study.append({ type: 'started', trial, candidate, time });
      const figures = { c: 0.5 };
      await study.append({
        ...{ type: 'finished', trial: 1, score: 1.25, variance: 0, figures, seconds: 1 },
      });
      await study.close();
      const rows = await server.sql('select * from sspec.trial order by trial', 'studies');
      expect(rows).toEqual([
        {
          study: 'v',
          trial: 0,
          state: 'open',
          plan: candidate,
          score: null,
          figures: null,
          reason: null,
        },
        {
          study: 'v',
          trial: 1,
          state: 'finished',
          plan: candidate,
          score: 1.25,
          figures,
          reason: null,
        },
      ]);
    });
  });

  it('is no other storage than a folder for what is kept', async () => {
    const events = [note(1), note(2)];
    const kept = [];
    for (const storage of [journalStorage(temporaryDirectory()), postgresStorage(server.url())]) {
      const study = await storage.open('same', start, { resume: false });
      for (const event of events) await study.append(event);
      await study.close();
      const { header, events: read } = await storage.read('same');
      kept.push({ header: { ...header, created: null }, read });
    }
    expect(kept[0]).toEqual(kept[1]);
  });
});

/** Passes bytes on; told to, it keeps the next answer to itself and goes away without a word to either side. */
async function startProxy(to: number) {
  const sockets = new Set<Socket>();
  let isDropping = false;
  const proxy = createServer((client) => {
    const upstream = connectSocket(to, '127.0.0.1');
    sockets.add(client).add(upstream);
    client.on('error', () => {});
    upstream.on('error', () => {});
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      if (!isDropping) client.write(bytes);
      else {
        isDropping = false;
        client.unpipe(upstream);
        client.destroy();
      }
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return {
    port: address.port,
    dropAnswers() {
      isDropping = true;
    },
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
