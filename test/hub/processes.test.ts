import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { incompletePath } from '../../src/hub/blob.js';
import { pullModel } from '../../src/hub/pull.js';
import { COMMIT, type FakeHub, hashOf, rangeStart, startHub } from './fake-hub.js';
import { noise, useHub } from './files.js';
import { HASTE } from './haste.js';

const NAME = 'm.gguf';
const file = { content: noise(4 << 20), lfs: true };
const PIECE = 64 << 10;

/** Sends the file slowly, so that it is never there in one go. */
function slowly(hub: FakeHub): void {
  hub.intercept = (path, response, { headers: { range } }) => {
    if (!path.includes('/resolve/')) return false;
    const start = rangeStart(range);
    const { length } = file.content;
    response.writeHead(range === undefined ? 200 : 206, {
      'Content-Length': length - start,
      ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${length - 1}/${length}` }),
    });
    let at = start;
    const timer = setInterval(() => {
      response.write(file.content.subarray(at, at + PIECE));
      at += PIECE;
      if (at < length) return;
      clearInterval(timer);
      response.end();
    }, 10);
    response.on('close', () => clearInterval(timer));
    return true;
  };
}

function startPull(): { child: ChildProcess; lines: string[]; ended: Promise<number | null> } {
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', here('../register-typescript.mjs'), here('pull-process.ts'), 'org/name'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n')));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, lines, ended };
}

async function start(): Promise<{ hub: FakeHub; cache: string; blob: string }> {
  const hub = await startHub({ [NAME]: file });
  const cache = useHub(hub);
  slowly(hub);
  return { hub, cache, blob: join(cache, 'models--org--name/blobs', hashOf(file)) };
}

const ranges = (hub: FakeHub) =>
  hub.asked.filter(({ path }) => path.includes('/resolve/')).map(({ range }) => range);
const locks = (cache: string) => readdirSync(join(cache, '.locks/models--org--name'));

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a pull that is killed', () => {
  it('leaves what the next one goes on from, and no lock in its way', async () => {
    const { hub, cache, blob } = await start();
    const { child, ended } = startPull();
    await vi.waitFor(() => expect(statSync(incompletePath(blob)).size).toBeGreaterThan(1 << 20), {
      timeout: 60_000,
      interval: 20,
    });
    child.kill('SIGKILL');
    await ended;
    const { size } = statSync(incompletePath(blob));
    expect(size).toBeLessThan(file.content.length);
    expect(existsSync(join(cache, 'models--org--name/snapshots', COMMIT))).toBe(false);
    expect(locks(cache)).toHaveLength(1);

    const next = startPull();
    expect(await next.ended).toBe(0);
    expect(next.lines).toContain(`received ${file.content.length - size}`);
    expect(ranges(hub)).toEqual([undefined, `bytes=${size}-`]);
    expect(readFileSync(blob).equals(file.content)).toBe(true);
    expect(locks(cache)).toEqual([]);
  });
});

describe('two pulls at once', () => {
  it('take turns: what one downloads the other does not ask for', async () => {
    const { hub, cache, blob } = await start();
    const both = [startPull(), startPull()];
    expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([0, 0]);
    expect(ranges(hub)).toEqual([undefined]);
    const received = both.map(({ lines }) => lines.find((line) => line.startsWith('received')));
    expect(received.sort()).toEqual(['received 0', `received ${file.content.length}`]);
    expect(readFileSync(blob).equals(file.content)).toBe(true);
    expect(locks(cache)).toEqual([]);
    expect(readFileSync(join(cache, 'models--org--name/refs/main'), 'utf8')).toBe(COMMIT);
  });

  it('one waits for a living process, tells so, and can be ended meanwhile', async () => {
    const { cache } = await start();
    mkdirSync(join(cache, '.locks/models--org--name'), { recursive: true });
    const lock = join(cache, '.locks/models--org--name', `${hashOf(file)}.sspec.lock`);
    const holder = { pid: process.ppid, host: hostname(), token: 'f' };
    writeFileSync(lock, JSON.stringify(holder));
    const stop = new AbortController();
    const told: string[] = [];
    const pulling = pullModel(parseHubReference('org/name')!, {
      patience: HASTE,
      signal: stop.signal,
      onWait: (reason) => {
        told.push(reason);
        stop.abort(new Error('enough'));
      },
    });
    await expect(pulling).rejects.toThrow('enough');
    expect(told[0]).toBe(`process ${process.ppid} downloads ${NAME}`);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual(holder);
    expect(locks(cache)).toHaveLength(1);
  });

  it('an end by signal keeps what came, gives the lock back, and the next one goes on', async () => {
    const { hub, cache, blob } = await start();
    const stop = new AbortController();
    const pulling = pullModel(parseHubReference('org/name')!, {
      patience: HASTE,
      signal: stop.signal,
      onProgress: (done) => {
        if (done > 1 << 20) stop.abort(new Error('enough'));
      },
    });
    await expect(pulling).rejects.toThrow('enough');
    const { size } = statSync(incompletePath(blob));
    expect(size).toBeGreaterThan(1 << 20);
    expect(locks(cache)).toEqual([]);
    await pullModel(parseHubReference('org/name')!, { patience: HASTE });
    expect(ranges(hub)[1]).toBe(`bytes=${size}-`);
    expect(readFileSync(blob).equals(file.content)).toBe(true);
  });
});
