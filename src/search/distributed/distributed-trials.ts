/**
 * The trials of a search that workers on other machines take part in. The search proposes, gives out and puts results into the
 * study, as the only one that writes it; where no worker has taken a trial it scores one itself, so that it ends without any.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Candidate } from '../../optimise/candidate.js';
import type { Sampler } from '../../optimise/sampler.js';
import { readCandidate, readRule, writeCandidate } from '../../study/events.js';
import type { TrialQueue, TrialResult } from '../../study/postgres/trial-queue.js';
import { replayStudy, type Trial } from '../../study/state.js';
import type { OpenStudy } from '../../study/storage.js';
import type { Scorer } from '../scorer.js';
import { resultOf, type TrialLimits, told } from '../trial-loop.js';

/** Between two looks for results, while there is nothing to do. */
const PAUSE_MILLISECONDS = 100;

/** What a distributed search has beside an ordinary one. */
export interface Distribution {
  readonly queue: TrialQueue;
  /** Trials that run at once: one for each worker, and one for the search. */
  readonly batch: number;
  /** How the search is named in what it scored itself. */
  readonly host: string;
}

/** As `runTrials`, with workers. */
export async function runDistributedTrials(
  study: OpenStudy,
  sampler: Sampler,
  scorer: Scorer,
  { trials: total, deadline, signal }: TrialLimits,
  { queue, batch, host }: Distribution,
  onTrial: (trials: readonly Trial[]) => void,
): Promise<Trial[]> {
  const state = replayStudy(study);
  const trials = state.finished.map(told);
  for (const { proposed, score, variance } of trials) sampler.tell(proposed, score, variance);
  onTrial(trials);
  let next = state.trials.reduce((most, { number }) => Math.max(most, number + 1), 0);
  const running = new Map<number, Candidate>();
  const send = async (trial: number, candidate: Candidate) => {
    running.set(trial, candidate);
    await queue.send(trial, writeCandidate(candidate));
  };
  const score = async (candidate: Candidate): Promise<TrialResult> => {
    const begun = performance.now();
    const scored = await scorer.score(candidate);
    const seconds = (performance.now() - begun) / 1000;
    return { ...resultOf(scorer, scored), figures: { ...scored.figures }, seconds, host };
  };
  const accept = async (trial: number, proposed: Candidate, result: TrialResult) => {
    await study.append({ type: 'finished', trial, ...result });
    running.delete(trial);
    const { score, variance, figures, rule } = result;
    sampler.tell(proposed, score, variance);
    const candidate = rule ? { mask: proposed.mask, draft: readRule(rule) } : proposed;
    trials.push({ number: trial, proposed, candidate, score, variance, figures });
    onTrial(trials);
  };
  /** Puts into the study what there is; false where there was nothing. */
  const collect = async () => {
    const found = await Promise.all(
      [...running].map(async ([trial, candidate]) => {
        return { trial, candidate, result: await queue.result(trial) };
      }),
    );
    for (const { trial, candidate, result } of found) {
      if (result === undefined) continue;
      await accept(trial, candidate, result === 'failed' ? await score(candidate) : result);
    }
    return found.some(({ result }) => result !== undefined);
  };

  for (const { state: was, number, proposed } of state.trials) {
    if (was !== 'open') continue;
    sampler.expect(proposed);
    await send(number, proposed);
  }
  for (;;) {
    signal?.throwIfAborted();
    const isOver = performance.now() > deadline;
    while (!isOver && running.size < batch && trials.length + running.size < total) {
      const candidate = sampler.ask();
      const trial = next++;
      const time = new Date().toISOString();
      await study.append({ type: 'started', trial, candidate: writeCandidate(candidate), time });
      await send(trial, candidate);
    }
    if (trials.length >= total || running.size === 0) {
      await queue.remove();
      return trials;
    }
    if (await collect()) continue;
    const job = await queue.take();
    if (!job) await sleep(PAUSE_MILLISECONDS);
    else await queue.finish(job, await score(readCandidate(job.candidate)));
  }
}
