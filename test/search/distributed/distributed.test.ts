import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../../src/engine/load-model.js';
import { createBoSampler } from '../../../src/optimise/samplers/bo.js';
import { Random } from '../../../src/random.js';
import { calibrateCosts } from '../../../src/search/cost/calibrate.js';
import { runDistributedTrials } from '../../../src/search/distributed/distributed-trials.js';
import { noteSetup } from '../../../src/search/distributed/replay-setup.js';
import { createLadder, type Ladder } from '../../../src/search/ladder.js';
import { LockedError } from '../../../src/study/log.js';
import { postgresStorage, type SharedStorage } from '../../../src/study/postgres/storage.js';
import { replayStudy } from '../../../src/study/state.js';
import type { OpenStudy } from '../../../src/study/storage.js';
import { writeMiniature } from '../../helpers/miniature.js';
import {
  hasPostgres,
  startPostgres,
  type TestServer,
  WITHOUT_POSTGRES,
} from '../../helpers/postgres.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { LAYERS, settings, somePrompts, writeSearchModel } from '../example.js';

const BITS = 2 * LAYERS;
const WORKERS = 3;
/** SSPEC_KILLS=50 is the long run. */
const KILLS = Number(process.env.SSPEC_KILLS ?? 2);
const TRIALS = 40 * KILLS;
/** Seconds that a trial stays with a worker that is gone, and with one that hangs. */
const HOLD = { grace: 1, lease: 4 };
const calibration = somePrompts(4, 1);

describe.runIf(hasPostgres)(`a search with workers${WITHOUT_POSTGRES}`, () => {
  let server: TestServer;
  let directory: string;
  let model: Model;
  let ladder: Ladder;
  let storage: SharedStorage;
  const children = new Set<ChildProcess>();
  beforeAll(async () => {
    server = await startPostgres(temporaryDirectory());
    directory = writeSearchModel();
    model = await loadModel(directory, { threads: 1 });
    storage = postgresStorage(server.url());
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await ladder?.close();
    await model.close();
    await server.stop('immediate');
  });

  /** A study whose search has said how it scores. */
  async function begin(name: string): Promise<OpenStudy> {
    const { weightsHash, precision } = model.engine.model;
    const context = { weights_hash: weightsHash, precision };
    const start = { sampler: 'bo', seed: 1, bits: BITS, context };
    const study = await storage.open(name, start, { resume: false });
    const prompts = calibration.map(({ tokens }) => tokens);
    const made = await calibrateCosts({ engine: model.engine, prompts, settings, seed: 1 });
    ladder = await createLadder({
      ...{ engine: model.engine, calibration: made, prompts: calibration, settings },
      ...{ promptsPerTrial: 2, fitting: somePrompts(9, 2) },
    });
    await study.append({ type: 'note', key: 'cost_model', value: { ...made } });
    await study.append({ type: 'note', key: 'model', value: directory });
    await noteSetup(study, ladder, { calibration, promptsPerTrial: 2, settings }, 'this one');
    return study;
  }

  function startWorker(study: string, ...argv: string[]): ChildProcess {
    const script = new URL('../../commands/worker-process.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      [
        ...['--import', './test/register-typescript.mjs', script, '--study', study, '-q'],
        ...['--storage', server.url(), '--threads', '1', ...argv],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  /** What the machines that joined a study told of themselves. */
  const hostsOf = (name: string) =>
    server.sql(
      `select host, machine, calibration from sspec.host join sspec.study on study = id where name = '${name}'`,
      'studies',
    );

  /** Resolves once so many machines have joined; not at all where they do not within a minute. */
  async function joined(name: string, count: number): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if ((await hostsOf(name).catch(() => [])).length >= count) return;
      await sleep(200);
    }
    throw new Error(`${count} workers did not join`);
  }

  /** The trials of a study with workers; the search itself is slow, and gives out no more than one trial each `pace` ms. */
  async function search(
    study: OpenStudy,
    trials: number,
    pace: () => number,
    signal?: AbortSignal,
  ) {
    const opened = await storage.openTrialQueue(study.header, true, HOLD);
    const queue: typeof opened = {
      ...opened,
      async send(...trial) {
        await sleep(pace());
        await opened.send(...trial);
      },
    };
    const sampler = createBoSampler({ bits: BITS, draft: ladder.draft }, 1, []);
    const slow = {
      ...ladder,
      async score(...candidate: Parameters<Ladder['score']>) {
        await sleep(400);
        return ladder.score(...candidate);
      },
    };
    const limits = { trials, deadline: Infinity, signal };
    const distribution = { queue, batch: WORKERS + 1, host: 'search' };
    try {
      return await runDistributedTrials(study, sampler, slow, limits, distribution, () => {});
    } finally {
      await queue.close();
    }
  }

  /** Every trial ended once, and has the score that this process gives it, to the bit. */
  async function expectWhole(name: string, trials: number): Promise<string[]> {
    const record = await storage.read(name);
    const { finished, trials: all } = replayStudy(record);
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: trials }, (_, i) => i));
    expect(finished).toHaveLength(trials);
    for (const { proposed, candidate, score, figures } of finished)
      expect(await ladder.score(proposed)).toEqual({ candidate, score, figures, variance: 0 });
    return record.events.flatMap((event) => (event.type === 'finished' ? (event.host ?? []) : []));
  }

  it(
    'loses and doubles nothing: workers killed at random, server started anew, sessions cut, search resumed',
    async () => {
      const random = new Random(7);
      const study = await begin('killed');
      const { sampler, seed, bits, context } = study.header;
      const workers = Array.from({ length: WORKERS }, () => startWorker('killed'));
      await joined('killed', WORKERS);
      // A worker that dies with a trial in its hands: others take it.
      const die = async () => {
        const dying = await storage.openTrialQueue(study.header, false);
        await dying.take();
        await dying.close();
      };
      let kills = 0;
      const harm = async () => {
        for (; kills < KILLS; kills++) {
          await sleep(random.integer(1000));
          await die();
          const victim = random.integer(WORKERS);
          workers[victim]!.kill('SIGKILL');
          workers[victim] = startWorker('killed');
          if (kills % 3 === 1) {
            await server.stop('fast');
            await server.start();
          } else
            await server.sql(
              "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sspec%'",
            );
          await joined('killed', WORKERS + kills + 1);
        }
      };
      const pace = () => (kills < KILLS ? 250 : 0);
      // The first search ends early, with trials on their way; the second goes on with them.
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('stopped')), 3000);
      await expect(search(study, TRIALS, pace, controller.signal)).rejects.toThrow('stopped');
      // One more that was begun, and not even given out.
      const trial = replayStudy(study).trials.length;
      const rule = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
      const candidate = { mask: '01'.repeat(LAYERS), ...rule };
      await study.append({ type: 'started', trial, candidate, time: new Date().toISOString() });
      await study.close();
      const again = await storage.open(
        'killed',
        { sampler, seed, bits, context },
        { resume: true },
      );
      await Promise.all([search(again, TRIALS, pace), harm()]);
      await again.close();
      const hosts = await expectWhole('killed', TRIALS);
      expect(hosts).toHaveLength(TRIALS);
      expect(new Set(hosts).size).toBeGreaterThan(2);
      expect(await server.sql('select name from sspec_queue.queue', 'studies')).toEqual([]);
      for (const child of children) child.kill('SIGKILL');
    },
    120_000 + 30_000 * KILLS,
  );

  it('has workers that end when the trials are over, and tells what drafts cost on each', async () => {
    const study = await begin('two');
    const worker = startWorker('two', '--json');
    let stdout = '';
    worker.stdout?.on('data', (text) => {
      stdout += text;
    });
    const { sampler, seed, bits, context } = study.header;
    const second = storage.open('two', { sampler, seed, bits, context }, { resume: true });
    await expect(second).rejects.toThrow(LockedError);
    await joined('two', 1);
    await search(study, 12, () => 100);
    await study.append({ type: 'note', key: 'finalists', value: [] });
    await study.close();
    const [code] = await once(worker, 'exit');
    expect(code).toBe(0);
    const hosts = await expectWhole('two', 12);
    const { host, trials } = JSON.parse(stdout);
    expect(trials).toBe(hosts.filter((one) => one === host).length);
    const [known] = await hostsOf('two');
    expect(known).toMatchObject({ host, machine: { threads: 1 }, calibration: { error: {} } });
  });

  it('gives a trial to another when its worker is gone, and not before, however long it takes', async () => {
    const study = await begin('slow');
    const { header } = study;
    const searching = await storage.openTrialQueue(header, true, HOLD);
    const slow = await storage.openTrialQueue(header, false, HOLD);
    const other = await storage.openTrialQueue(header, false, HOLD);
    const written = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
    await searching.send(0, { mask: '01'.repeat(LAYERS), ...written });
    const job = await slow.take();
    expect(job?.trial).toBe(0);
    /** What another gets within so many seconds. */
    const taken = async (seconds: number) => {
      for (const end = Date.now() + 1000 * seconds; Date.now() < end; await sleep(100)) {
        const found = await other.take();
        if (found) return found;
      }
      return undefined;
    };
    expect(await taken(5)).toBeUndefined();
    // A cut connection is no death.
    const cut =
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sspec%'";
    await server.sql(cut);
    expect(await taken(5)).toBeUndefined();
    await slow.close();
    expect(await taken(20)).toEqual(job);
    for (const queue of [searching, other]) await queue.close();
    await study.close();
    // With the study goes its queue.
    const queues = () => server.sql('select name from sspec_queue.queue', 'studies');
    const before = await queues();
    await storage.remove(['slow']);
    expect(await queues()).toHaveLength(before.length - 1);
  }, 60_000);

  it('gives a trial to another when its worker hangs', async () => {
    const study = await begin('hanging');
    const searching = await storage.openTrialQueue(study.header, true, HOLD);
    const rule = { draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
    await searching.send(0, { mask: '01'.repeat(LAYERS), ...rule });
    const script = new URL('hang-with-trial.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      [
        ...['--import', './test/register-typescript.mjs', script],
        ...[server.url(), JSON.stringify(study.header), JSON.stringify(HOLD)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.add(child);
    const [said] = await once(child.stdout, 'data');
    expect(`${said}`).toBe('holds 0\n');
    let taken: Awaited<ReturnType<typeof searching.take>>;
    for (const end = Date.now() + 30_000; !taken && Date.now() < end; await sleep(100))
      taken = await searching.take();
    expect(taken?.trial).toBe(0);
    // It lives, and so does its session.
    expect(child.exitCode).toBeNull();
    expect(
      await server.sql(
        `select from pg_stat_activity where application_name like 'sspec ${child.pid} %'`,
      ),
    ).not.toEqual([]);
    child.kill('SIGKILL');
    await searching.close();
    await study.close();
  }, 60_000);

  it('refuses a worker with another model, and one whose replay has other bits', async () => {
    const study = await begin('other');
    const { directory: other } = writeMiniature(temporaryDirectory(), { layers: LAYERS, seed: 9 });
    const refused = async (...argv: string[]) => {
      const worker = startWorker('other', ...argv);
      let stderr = '';
      worker.stderr?.on('data', (text) => {
        stderr += text;
      });
      const [code] = await once(worker, 'exit');
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('--model', other)).toMatch(
      /its weights hash is \w{12}, that of the search/,
    );
    const { notes } = replayStudy(study);
    const setup = notes.get('replay_setup') as Record<string, string>;
    await study.append({
      type: 'note',
      key: 'replay_setup',
      value: { ...setup, probe: 'f'.repeat(64) },
    });
    expect(await refused()).toContain('replays a draft with other bits than that of the search');
    await study.append({ type: 'note', key: 'replay_setup', value: { ...setup, sspec: '0.0.1' } });
    expect(await refused()).toContain('its release of sspec is');
    await study.close();
  });
});
