import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Where distributions put the programs that are not for users. */
const FOLDERS = [
  ...(process.env.PATH ?? '').split(':'),
  ...versionsOf('/usr/lib/postgresql'),
  ...versionsOf('/opt/homebrew/opt'),
];
const PROGRAMS = FOLDERS.find(
  (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
);

/** Whether a server can be started here: PostgreSQL's programs are there, and a user to run them as. */
export const hasPostgres = PROGRAMS !== undefined && process.platform !== 'win32' && canRun();

/** Says why tests are skipped. */
export const WITHOUT_POSTGRES = hasPostgres ? '' : ' (skipped: needs the programs of PostgreSQL)';

/** A server of its own, in a folder of its own. */
export interface TestServer {
  readonly port: number;
  /** The superuser is `owner`; databases `studies` and `empty`, and a user `reader` who may make nothing. */
  url(user?: string, database?: string, password?: string): string;
  /** Runs SQL as the superuser; the rows of it. */
  sql(text: string, database?: string): Promise<unknown[]>;
  start(): Promise<void>;
  /** @param mode fast: sessions are ended; immediate: as if the machine had lost its power. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

export const PASSWORD = 'p@ss/w%rd';

/** Makes a server in an empty folder and starts it. */
export async function startPostgres(folder: string): Promise<TestServer> {
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(join(folder, 'password'), PASSWORD);
  chmodSync(folder, 0o755);
  if (isRoot()) execFileSync('chown', ['-R', 'postgres', data, join(folder, 'password')]);
  run('initdb', [
    ...['-D', data, '-U', 'owner', '--auth=scram-sha-256', '--no-sync', '-E', 'UTF8'],
    `--pwfile=${join(folder, 'password')}`,
  ]);
  const port = await freePort();
  let server: ChildProcess | undefined;
  const url = (user = 'owner', database = 'studies', password = PASSWORD) =>
    `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  const sql = async (text: string, database = 'postgres') => {
    const client = new pg.Client(url('owner', database));
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const running: TestServer = {
    port,
    url,
    sql,
    async start() {
      const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'fsync=off'];
      const argv = ['-D', data, '-k', data, ...settings.flatMap((one) => ['-c', one])];
      const [command, ...rest] = asOwner('postgres', argv);
      server = spawn(command!, rest, { stdio: 'ignore', cwd: data });
      for (let tries = 0; ; tries++) {
        try {
          await sql('select 1');
          return;
        } catch (error) {
          if (tries > 100) throw error;
          await sleep(100);
        }
      }
    },
    async stop(mode = 'fast') {
      if (server?.exitCode !== null) return;
      const over = new Promise((done) => server?.once('exit', done));
      run('pg_ctl', ['-D', data, 'stop', '-m', mode, '-W']);
      await over;
    },
  };
  await running.start();
  for (const database of ['studies', 'empty']) await sql(`create database ${database}`);
  await sql(`create role reader login password '${PASSWORD}'`);
  return running;
}

function run(program: string, argv: readonly string[]): void {
  const [command, ...rest] = asOwner(program, argv);
  execFileSync(command!, rest, { stdio: 'pipe', cwd: '/' });
}

/** PostgreSQL does not run as root. */
function asOwner(program: string, argv: readonly string[]): string[] {
  const command = [join(PROGRAMS!, program), ...argv];
  return isRoot() ? ['runuser', '-u', 'postgres', '--', ...command] : command;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function canRun(): boolean {
  try {
    if (isRoot()) execFileSync('runuser', ['-u', 'postgres', '--', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function versionsOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .reverse()
    .map((version) => join(folder, version, 'bin'));
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address) done(address.port);
        else fail(new Error('no port'));
      });
    });
  });
}
