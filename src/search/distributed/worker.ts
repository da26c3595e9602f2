/** A worker: scores trials that a search on another machine gives out, as that search would score them itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuModel } from '../../engine/cores.js';
import type { Engine } from '../../engine/engine.js';
import { InputError } from '../../errors.js';
import { readCandidate, type StudyHeader } from '../../study/events.js';
import type { TrialQueue } from '../../study/postgres/trial-queue.js';
import type { StudyRecord } from '../../study/storage.js';
import type { CostModel } from '../cost/cost-model.js';
import { keptContinuations } from '../kept-continuations.js';
import { createLadder } from '../ladder.js';
import { resultOf } from '../trial-loop.js';
import { probe, type ReplaySetup, scoringVersions } from './replay-setup.js';

const PAUSE_MILLISECONDS = 300;

/** What a worker does. */
export interface WorkerRequest {
  readonly engine: Engine;
  /** As it was when its search had told how it scores. */
  readonly record: StudyRecord;
  readonly setup: ReplaySetup;
  readonly costs: CostModel;
  readonly queue: TrialQueue;
  /** How the study names this machine. */
  readonly host: string;
  readonly signal: AbortSignal;
  /** Asked now and then while there is no trial to take: whether there will be none any more. */
  readonly isOver: () => Promise<boolean>;
  /** Told as continuations are made, then as the hidden states that bridges are fitted to are. */
  readonly onPreparing: (done: number, total: number) => void;
  readonly onTrial: (done: number) => void;
}

/**
 * Whether a model may work on a study.
 * @throws InputError when it has other weights, or the release is another one.
 */
export function checkWorker(engine: Engine, { study, context }: StudyHeader, setup: ReplaySetup) {
  const { weightsHash, precision } = engine.model;
  const wrong = (what: string, own: unknown, wanted: unknown) =>
    new InputError(
      `This worker cannot join study ${study}: its ${what} is ${own}, that of the search ${wanted}; start it with the same.`,
    );
  if (weightsHash !== context.weights_hash)
    throw wrong('weights hash', weightsHash.slice(0, 12), `${context.weights_hash}`.slice(0, 12));
  if (precision !== context.precision) throw wrong('precision', precision, context.precision);
  const own = scoringVersions();
  if (own.sspec !== setup.sspec) throw wrong('release of sspec', own.sspec, setup.sspec);
  if (own.onnxruntime !== setup.onnxruntime)
    throw wrong('onnxruntime', own.onnxruntime, setup.onnxruntime);
}

/**
 * Takes trials until the search is over or the signal is aborted; the trial at hand then goes back to the queue.
 * @returns how many were scored.
 * @throws InputError when this machine's replay differs in bits from that of the search.
 */
export async function runWorker(request: WorkerRequest): Promise<number> {
  const { engine, record, setup, queue, signal, host } = request;
  const { header } = record;
  const settings = {
    maxNewTokens: setup.max_new_tokens,
    ...{ repetitions: 1, warmup: 0, sampling: setup.sampling, coupling: setup.coupling },
  };
  const promptsOf = (list: ReplaySetup['prompts']) =>
    list.map((tokens, i) => ({ id: `${i}`, dataset: 'study', tokens }));
  const ladder = await createLadder({
    engine,
    calibration: { model: request.costs },
    prompts: promptsOf(setup.prompts),
    fitting: promptsOf(setup.fitted),
    promptsPerTrial: setup.prompts_per_trial,
    settings,
    basis: setup,
    kept: keptContinuations(record, settings),
    signal,
    report: (_, done, total) => request.onPreparing(done, total),
  });
  try {
    if ((await probe(ladder, header.bits)) !== setup.probe)
      throw new InputError(
        `This machine (${cpuModel()}) replays a draft with other bits than that of the search (${setup.cpu}): its scores would be others, so it takes no part in study ${header.study}.`,
      );
    let done = 0;
    while (!signal.aborted) {
      const job = await queue.take();
      if (!job) {
        if (await request.isOver()) break;
        await sleep(PAUSE_MILLISECONDS, undefined, { signal }).catch(() => {});
        continue;
      }
      try {
        const begun = performance.now();
        const scored = await ladder.score(readCandidate(job.candidate));
        const seconds = (performance.now() - begun) / 1000;
        const result = { ...resultOf(ladder, scored), figures: { ...scored.figures } };
        await queue.finish(job, { ...result, seconds, host });
      } catch (error) {
        await queue.giveBack(job);
        if (signal.aborted) break;
        throw error;
      }
      request.onTrial(++done);
    }
    return done;
  } finally {
    await ladder.close();
  }
}
