import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { Precision } from '../graph/quantise.js';
import { hostClass, hostName } from '../measurement/host-class.js';
import { createProgress } from '../reporting/progress.js';
import { calibrateCosts } from '../search/cost/calibrate.js';
import { type ReplaySetup, readSetup } from '../search/distributed/replay-setup.js';
import { checkWorker, runWorker } from '../search/distributed/worker.js';
import { isShared, type SharedStorage } from '../study/postgres/storage.js';
import { studyProgress } from '../study/progress.js';
import type { StudyRecord, StudyStorage } from '../study/storage.js';
import { checkExactness } from './exactness.js';
import { loadModelWithProgress, type ModelFlags } from './load.js';

/** Between two looks whether a search has begun, or is over. */
const LOOK_MILLISECONDS = 3000;

/** What `sspec worker --json` prints. */
export interface WorkerDocument {
  readonly study: string;
  readonly host: string;
  /** How many it scored. */
  readonly trials: number;
  readonly seconds: number;
}

/** Flags of the worker, and where sentences go. */
export interface WorkerOptions extends ModelFlags {
  readonly study: string;
  readonly onNotice: (sentence: string) => void;
}

const Precisions: z.ZodType<Precision> = z.enum(['fp32', 'int8', 'int4']);

/**
 * Joins a study and scores its trials until they are over or the signal is aborted.
 * @throws InputError where this machine may not take part.
 */
export async function work(
  storage: StudyStorage,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<WorkerDocument> {
  if (!isShared(storage))
    throw new InputError(
      `Workers take part in studies of a database, not of the folder ${storage.place}: give --storage postgres://user@host/name, as to the search.`,
    );
  const begun = performance.now();
  const host = hostName();
  const { record, joined } = await awaitSetup(storage, options, signal);
  const { header } = record;
  const precision = Precisions.parse(header.context.precision);
  const model = await loadStudyModel(options, joined.reference, precision);
  try {
    checkWorker(model.engine, header, joined.setup);
    const { exact, warnings } = await checkExactness(model.engine, options.quiet);
    if (!exact) throw new InputError(`${warnings.join(' ')} Such a machine takes no part.`);
    await noteCosts(
      storage,
      model,
      { study: header.study, host, setup: joined.setup },
      options,
      signal,
    );
    const queue = await storage.openTrialQueue(header, false);
    const progress = createProgress({ label: 'Trials', unit: 'trials', quiet: options.quiet });
    let looked = performance.now();
    try {
      const trials = await runWorker({
        ...{ engine: model.engine, record, setup: joined.setup, costs: joined.costs },
        ...{ queue, host, signal, onPreparing: () => {}, onTrial: progress.update },
        async isOver() {
          if (performance.now() - looked < LOOK_MILLISECONDS) return false;
          looked = performance.now();
          const { stage } = studyProgress(await storage.read(header.study));
          return stage !== 'trials' && stage !== 'preparing';
        },
      });
      return { study: header.study, host, trials, seconds: (performance.now() - begun) / 1000 };
    } finally {
      progress.stop();
      await queue.close();
    }
  } finally {
    await model.close();
  }
}

/** The study, once its search has told how it scores. */
async function awaitSetup(
  storage: SharedStorage,
  { study, onNotice }: WorkerOptions,
  signal: AbortSignal,
): Promise<{ record: StudyRecord; joined: NonNullable<ReturnType<typeof readSetup>> }> {
  for (let isFirst = true; ; isFirst = false) {
    const isThere = (await storage.list()).includes(study);
    const record = isThere ? await storage.read(study) : undefined;
    const joined = record && readSetup(record);
    if (record && joined) return { record, joined };
    if (isFirst)
      onNotice(
        `Waiting for a search of study ${study} that gives out trials (sspec search --study ${study} --workers N).`,
      );
    await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

async function loadStudyModel(
  options: WorkerOptions,
  reference: string,
  precision: Precision,
): Promise<Model> {
  try {
    return await loadModelWithProgress({
      ...options,
      model: options.model ?? reference,
      precision,
    });
  } catch (error) {
    if (!(error instanceof InputError) || options.model !== undefined) throw error;
    throw new InputError(`${error.message} The study names this model; --model says where it is.`);
  }
}

/** Times what drafts cost on this machine, for whoever compares machines; scores use the costs of the search. */
async function noteCosts(
  storage: SharedStorage,
  { engine }: Model,
  { study, host, setup }: { study: string; host: string; setup: ReplaySetup },
  { quiet }: WorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    const calibration = await calibrateCosts({
      ...{ engine, prompts: setup.prompts, settings: setup, seed: 0, signal },
      onProgress(done, total) {
        progress ??= createProgress({ label: 'Timing passes', total, unit: 'drafts', quiet });
        progress.update(done);
      },
    });
    const machine = { ...hostClass(), threads: engine.threads };
    await storage.noteHost(study, { host, machine, calibration });
  } finally {
    progress?.stop();
  }
}
