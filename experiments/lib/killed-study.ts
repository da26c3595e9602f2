/**
 * One search, killed again and again and gone on with each time, until it is done: the searching process, its workers where it has
 * some, both; of a database the server is restarted and its connections are cut, too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/random.js';
import { studyProgress } from '../../src/study/progress.js';
import type { StudyRecord, StudyStorage } from '../../src/study/storage.js';
import type { TestServer } from '../../test/helpers/postgres.js';
import { lostEvents } from './killed-checks.js';
import { type RunningCommand, startCommand } from './killed-command.js';

/** With which chance what is harmed; of a search without a database only itself can be. */
const CHANCES = { search: 0.45, worker: 0.3, both: 0.1, restart: 0.08, cut: 0.07 } as const;
type Harm = keyof typeof CHANCES;

/** After this a search that nobody harms hangs. */
const HANG_MILLISECONDS = 240_000;

/** What is killed, and how it is started. */
export interface KilledSearch {
  readonly storage: StudyStorage;
  readonly study: string;
  /** Flags of the search, `--resume` among them, and of a worker. */
  readonly search: readonly string[];
  readonly worker: readonly string[];
  readonly workers: number;
  /** Of a study in a database. */
  readonly server?: TestServer;
}

/** What was done, over all studies of a run. */
export interface Harms {
  readonly kills: { search: number; worker: number };
  readonly server_restarts: { fast: number; immediate: number };
  cuts: number;
  /** Where the search was when it was killed. */
  readonly killed_while: Record<string, number>;
  /** Processes that met a server going down as they started, said so and were started again. */
  refused: number;
}

export function noHarms(): Harms {
  return {
    kills: { search: 0, worker: 0 },
    server_restarts: { fast: 0, immediate: 0 },
    ...{ cuts: 0, killed_while: {}, refused: 0 },
  };
}

/**
 * Runs a search to its end.
 * @param most kills in all, those counted in `harms` included; then it is left alone.
 * @param pause the longest time between two harms, in seconds.
 * @returns what should not have happened.
 */
export async function runKilled(
  killed: KilledSearch,
  random: Random,
  harms: Harms,
  { most, pause }: { readonly most: number; readonly pause: number },
): Promise<string[]> {
  const { storage, study, server } = killed;
  const problems: string[] = [];
  let search = startCommand(killed.search);
  const workers = Array.from({ length: killed.workers }, () => startCommand(killed.worker));
  let before: StudyRecord = await storage.read(study);
  const killSearch = async () => {
    await search.kill();
    harms.kills.search++;
    const record = await storage.read(study);
    problems.push(...lostEvents(before, record));
    before = record;
    const { stage } = studyProgress(record);
    harms.killed_while[stage] = (harms.killed_while[stage] ?? 0) + 1;
    search = startCommand(killed.search);
  };
  const killWorker = async () => {
    const victim = random.integer(workers.length);
    await workers[victim]!.kill();
    harms.kills.worker++;
    workers[victim] = startCommand(killed.worker);
  };
  const run: Record<Harm, () => Promise<void>> = {
    search: killSearch,
    worker: killWorker,
    async both() {
      await Promise.all([killSearch(), killWorker()]);
    },
    async restart() {
      const mode = random.integer(2) === 0 ? 'fast' : 'immediate';
      await server?.stop(mode);
      await server?.start();
      harms.server_restarts[mode]++;
    },
    async cut() {
      await server?.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sspec%'",
      );
      harms.cuts++;
    },
  };
  const killCount = () => harms.kills.search + harms.kills.worker;
  try {
    for (;;) {
      const isLeft = killCount() >= most;
      const wait = isLeft ? HANG_MILLISECONDS : 1000 * pause * random.uniform();
      const ended = await Promise.race([search.ended, sleep(wait, undefined, { ref: false })]);
      if (ended?.code === 0) break;
      if (ended && server && /Cannot use postgres/.test(ended.stderr)) {
        harms.refused++;
        search = startCommand(killed.search);
      } else if (ended) return [...problems, `a search ended with ${ended.code}: ${ended.stderr}`];
      else if (isLeft) return [...problems, 'the search hangs'];
      else await run[server ? chosen(random) : 'search']();
    }
    problems.push(...(await workerProblems(workers, server !== undefined, harms)));
    problems.push(...lostEvents(before, await storage.read(study)));
    return problems;
  } finally {
    for (const one of [search, ...workers]) await one.kill();
  }
}

function chosen(random: Random): Harm {
  let left = random.uniform();
  for (const [harm, chance] of Object.entries(CHANCES) as [Harm, number][]) {
    left -= chance;
    if (left < 0) return harm;
  }
  return 'search';
}

/** Workers end by themselves once the trials are over. */
async function workerProblems(
  workers: readonly RunningCommand[],
  hasServer: boolean,
  harms: Harms,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { ended } of workers) {
    const end = await Promise.race([ended, sleep(60_000, undefined, { ref: false })]);
    if (!end) problems.push('a worker does not end');
    else if (end.code !== 0 && hasServer && /Cannot use postgres/.test(end.stderr)) harms.refused++;
    else if (end.code !== 0) problems.push(`a worker ended with ${end.code}: ${end.stderr}`);
  }
  return problems;
}
