/** Searches of one kind, killed until enough were: a run of kills.ts, a short one of the tests. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/random.js';
import { journalStorage } from '../../src/study/journal.js';
import { postgresStorage } from '../../src/study/postgres/storage.js';
import type { StudyRecord, StudyStorage } from '../../src/study/storage.js';
import type { TestServer } from '../../test/helpers/postgres.js';
import { writeSearchModel } from '../../test/helpers/search-model.js';
import { type CheckedStudy, checkStudy } from './killed-checks.js';
import { startCommand } from './killed-command.js';
import { type Harms, noHarms, runKilled } from './killed-study.js';

const PROMPTS = 20;
/** The longest time between two harms, by that of a search that is left alone: most of them come before its end. */
const PAUSE = 0.8;

export interface KillRequest {
  /** Empty; everything goes there. */
  readonly folder: string;
  readonly sampler: string;
  readonly kills: number;
  readonly trials: number;
  /** Beside the search, where there is a server; without one the journal keeps the studies. */
  readonly workers: number;
  readonly server?: TestServer;
  readonly seed: number;
}

/** What a run came to; snake_case, as it is written. */
export interface KillResult extends Harms, CheckedStudy {
  readonly studies: number;
  readonly seconds: number;
}

export async function killSearches(request: KillRequest): Promise<KillResult> {
  const { folder, server, kills, trials, seed } = request;
  const begun = performance.now();
  const model = writeSearchModel(join(folder, 'model'));
  const prompts = join(folder, 'prompts.jsonl');
  const rows = Array.from({ length: PROMPTS }, (_, i) => JSON.stringify({ prompt: `${i} and on` }));
  writeFileSync(prompts, rows.join('\n'));
  const outputOf = (study: string) => join(folder, `${study}.profile.json`);
  const flagsOf = (study: string, place: string) => [
    ...['search', '--model', model, '--dataset', prompts, '--output', outputOf(study)],
    ...['--study', study, '--storage', place, '--sampler', request.sampler, '--seed', `${seed}`],
    ...['--trials', `${trials}`, '--finalists', '2', '--prompts-per-trial', '3'],
    ...['--max-new-tokens', '24', '--threads', '1', '--resume', '-q'],
  ];
  const journals = join(folder, 'studies');
  const place = server?.url() ?? journals;
  const storage = server ? postgresStorage(place) : journalStorage(journals);
  const alone = performance.now();
  const { code, stderr } = await startCommand(flagsOf('alone', journals)).ended;
  if (code !== 0) throw new Error(`The search that nobody kills ended with ${code}: ${stderr}`);
  const pause = (PAUSE * (performance.now() - alone)) / 1000;
  const reference = await journalStorage(journals).read('alone');

  const random = new Random(seed, 3);
  const harms = noHarms();
  const checked: CheckedStudy[] = [];
  const problems: string[] = [];
  while (harms.kills.search + harms.kills.worker < kills && problems.length === 0) {
    const study = `killed-${checked.length}`;
    await begin(storage, study, reference);
    const search = flagsOf(study, place);
    const killed = {
      ...{ storage, study, workers: server ? request.workers : 0 },
      search: server ? [...search, '--workers', `${request.workers}`] : search,
      worker: ['worker', '--study', study, '--storage', place, '--threads', '1', '-q'],
      ...(server && { server }),
    };
    problems.push(...(await runKilled(killed, random, harms, { most: kills, pause })));
    const found = checkStudy(await storage.read(study), reference, trials);
    problems.push(...found.problems, ...(await leftovers(server)));
    if (!existsSync(outputOf(study))) problems.push('there is no profile');
    checked.push(found);
  }
  const sum = (count: (one: CheckedStudy) => number) =>
    checked.reduce((total, one) => total + count(one), 0);
  return {
    studies: checked.length,
    ...harms,
    trials: sum((one) => one.trials),
    equal_plans: sum((one) => one.equal_plans),
    decodes: sum((one) => one.decodes),
    problems,
    seconds: Math.round((performance.now() - begun) / 1000),
  };
}

/** A study that has nothing yet but the cost model of another. */
async function begin(storage: StudyStorage, study: string, { header, events }: StudyRecord) {
  const costs = events.filter((event) => event.type === 'note' && event.key === 'cost_model');
  const created = new Date().toISOString();
  await storage.add(study, { header: { ...header, study, created }, events: costs });
}

/** Queues that are there after their trials. */
async function leftovers(server: TestServer | undefined): Promise<string[]> {
  const queues = (await server?.sql('select name from sspec_queue.queue', 'studies')) ?? [];
  return queues.length === 0 ? [] : [`${queues.length} queues are left behind`];
}
