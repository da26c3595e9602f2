/**
 * The queue of a study's trials, which workers on any machine take from.
 *
 * It is pg-boss: its queue lives in the database that keeps the study, so there is no second server to run, and it gives a job out once,
 * takes it back and counts how often. graphile-worker would do the same, but its releases for Node 20 hold a dead worker's job for four
 * hours. 10.x is the last of pg-boss for Node 20; it knows expiry alone and no heartbeats, so who works on what is told by held-trial.ts.
 *
 * A job has an id that follows from study and trial: sent twice, by a search that was killed and went on, it is one job. Its result
 * stays in the queue until the trials are over, when all of them are in the study and the queue is deleted.
 */
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { WrittenCandidate } from '../events.js';
import type { DatabaseAddress } from './address.js';
import { connectionSettings } from './connect.js';
import { databaseFailure } from './failures.js';
import { createHold, freeTrials, HOLD_TIMES, type HoldTimes } from './held-trial.js';
import { patiently } from './patience.js';
import {
  deleteQueue,
  deleteStrayQueues,
  QUEUE_SCHEMA,
  type QueueOwner,
  queueDigest,
  queueName,
} from './stray-queues.js';

/** Between two looks for trials whose worker is gone, by whoever has nothing else to do. */
const LOOK_MILLISECONDS = 2000;
/** Workers that a trial is given to; then the search scores it itself. */
const RETRIES = 3;

const Job = z.object({ trial: z.int().nonnegative(), candidate: WrittenCandidate });

/** What a trial came to, as it is handed back. */
const Result = z.object({
  rule: WrittenCandidate.omit({ mask: true }).optional(),
  score: z.number(),
  variance: z.number().nonnegative(),
  figures: z.record(z.string(), z.number()),
  seconds: z.number().nonnegative(),
  host: z.string().max(200),
});
export type TrialResult = z.infer<typeof Result>;

/** A trial that a worker has taken. */
export interface TakenTrial extends z.infer<typeof Job> {
  readonly id: string;
}

export interface TrialQueue {
  /** Gives a trial to the workers; one that is there already stays as it is. */
  send(trial: number, candidate: WrittenCandidate): Promise<void>;
  /** The result of a trial; `failed` where no worker could score it, undefined while none has. */
  result(trial: number): Promise<TrialResult | 'failed' | undefined>;
  /** The next trial that nobody has taken. */
  take(): Promise<TakenTrial | undefined>;
  finish(job: TakenTrial, result: TrialResult): Promise<void>;
  /** Gives a trial back, to be taken by another. */
  giveBack(job: TakenTrial): Promise<void>;
  /** Once all trials are in the study. Who still has one of them may go on, and finishes it to no effect. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param isSearching whether this is the search, which makes the queue.
 * @param times how long trials stay with workers that are gone or hang.
 */
export async function openTrialQueue(
  address: DatabaseAddress,
  owner: QueueOwner,
  isSearching: boolean,
  times: HoldTimes = HOLD_TIMES,
): Promise<TrialQueue> {
  const { default: PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    ...connectionSettings(address, 'queue'),
    schema: QUEUE_SCHEMA,
    max: 8,
    schedule: false,
    supervise: false,
  });
  // What fails is told by the call that fails.
  boss.on('error', () => {});
  const name = queueName(owner);
  const idOf = (trial: number) =>
    queueDigest(owner, trial).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
  const hold = createHold(address, QUEUE_SCHEMA, times);
  let looked = 0;
  const query = (text: string) => boss.getDb().executeSql(text, []);
  const surely = <T>(work: () => Promise<T>) => patiently(address, work);
  try {
    await boss.start();
    if (isSearching) {
      // What is another user's is left to that user.
      await deleteStrayQueues(query).catch(() => {});
      if (!(await boss.getQueue(name))) await boss.createQueue(name);
    }
  } catch (error) {
    await boss.stop({ graceful: false, wait: true }).catch(() => {});
    throw databaseFailure(address, error);
  }
  return {
    async send(trial, candidate) {
      const options = {
        ...{ id: idOf(trial), retryLimit: RETRIES, retryDelay: 0 },
        expireInSeconds: times.lease,
      };
      await surely(() => boss.send(name, { trial, candidate }, options));
    },
    async result(trial) {
      const job = await surely(() => boss.getJobById(name, idOf(trial)));
      if (job?.state === 'completed') return parseQueued(Result, job.output, address);
      return job?.state === 'failed' || job?.state === 'cancelled' ? 'failed' : undefined;
    },
    async take() {
      const [job] = await surely(() => boss.fetch(name));
      if (job) {
        await hold.take(job.id);
        return { id: job.id, ...parseQueued(Job, job.data, address) };
      }
      if (performance.now() - looked < LOOK_MILLISECONDS) return undefined;
      looked = performance.now();
      await surely(() => freeTrials(boss, QUEUE_SCHEMA, times));
      return undefined;
    },
    async finish({ id }, result) {
      await surely(() => boss.complete(name, id, result));
      await hold.release();
    },
    async giveBack({ id }) {
      await surely(() => boss.fail(name, id));
      await hold.release();
    },
    remove: () => surely(() => deleteQueue(query, name)),
    async close() {
      await hold.close();
      await boss.stop({ graceful: false, wait: true }).catch(() => {});
    },
  };
}

function parseQueued<T>(schema: z.ZodType<T>, value: unknown, { shown }: DatabaseAddress): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `The queue in ${shown} has a trial of another form (${issue?.path.join('.')}: ${issue?.message}); use one release of sspec on all machines.`,
  );
}
