/**
 * The queue of a study's trials, which workers on any machine take from.
 *
 * It is pg-boss: its queue lives in the database that keeps the study, so there is no second server to run, and it retries and expires
 * jobs. graphile-worker would do the same, but its releases for Node 20 hold a dead worker's job for four hours; pg-boss has an
 * expiry for each job. 10.x is the last of pg-boss for Node 20.
 *
 * A job has an id that follows from study and trial: sent twice, by a search that was killed and went on, it is one job. Its result
 * stays in the queue until the search has put it into the study. A worker that dies is noticed by the job's expiry; another takes it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { type StudyHeader, WrittenCandidate } from '../events.js';
import type { DatabaseAddress } from './address.js';
import { connectionSettings } from './connect.js';
import { databaseFailure } from './failures.js';
import { patiently } from './patience.js';

const SCHEMA = 'sspec_queue';
/** Seconds between two looks of the search for jobs whose worker is gone. */
const MAINTENANCE_SECONDS = 2;
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
  /** Gives a trial to the workers; one that is there already stays as it is. @param expireSeconds then its worker is gone. */
  send(trial: number, candidate: WrittenCandidate, expireSeconds: number): Promise<void>;
  /** The result of a trial; `failed` where no worker could score it, undefined while none has. */
  result(trial: number): Promise<TrialResult | 'failed' | undefined>;
  /** The next trial that nobody has taken. */
  take(): Promise<TakenTrial | undefined>;
  finish(job: TakenTrial, result: TrialResult): Promise<void>;
  /** Gives a trial back, to be taken by another. */
  giveBack(job: TakenTrial): Promise<void>;
  close(): Promise<void>;
}

/** @param isSearching whether this is the search, which looks after jobs that have expired. */
export async function openTrialQueue(
  address: DatabaseAddress,
  { study, created }: Pick<StudyHeader, 'study' | 'created'>,
  isSearching: boolean,
): Promise<TrialQueue> {
  const { default: PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    ...connectionSettings(address, 'queue'),
    schema: SCHEMA,
    max: 8,
    schedule: false,
    supervise: isSearching,
    maintenanceIntervalSeconds: MAINTENANCE_SECONDS,
  });
  // What fails is told by the call that fails.
  boss.on('error', () => {});
  const digest = (...parts: unknown[]) =>
    createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const name = `trials-${digest(study, created).slice(0, 24)}`;
  const idOf = (trial: number) =>
    digest(study, created, trial).replace(
      /^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/,
      '$1-$2-4$3-8$4-$5',
    );
  const surely = <T>(work: () => Promise<T>) => patiently(address, work);
  try {
    await boss.start();
    if (!(await boss.getQueue(name))) await boss.createQueue(name);
  } catch (error) {
    await boss.stop({ graceful: false, wait: true }).catch(() => {});
    throw databaseFailure(address, error);
  }
  return {
    async send(trial, candidate, expireInSeconds) {
      const options = { id: idOf(trial), retryLimit: RETRIES, retryDelay: 0, expireInSeconds };
      await surely(() => boss.send(name, { trial, candidate }, options));
    },
    async result(trial) {
      const job = await surely(() => boss.getJobById(name, idOf(trial)));
      if (job?.state === 'completed') return parseQueued(Result, job.output, address);
      return job?.state === 'failed' || job?.state === 'cancelled' ? 'failed' : undefined;
    },
    async take() {
      const [job] = await surely(() => boss.fetch(name));
      return job && { id: job.id, ...parseQueued(Job, job.data, address) };
    },
    async finish({ id }, result) {
      await surely(() => boss.complete(name, id, result));
    },
    async giveBack({ id }) {
      await surely(() => boss.fail(name, id));
    },
    async close() {
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
