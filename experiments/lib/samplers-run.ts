import { z } from 'zod';
import { type Candidate, candidateKey } from '../../src/search/candidate.js';
import type { Fidelity } from '../../src/search/request.js';
import type { SamplerName } from '../../src/search/sampler.js';
import { createSampler } from '../../src/search/samplers/create.js';
import { noteOf } from '../../src/search/sources.js';
import {
  readCandidate,
  WrittenCandidate,
  writeCandidate,
  writeRule,
} from '../../src/search/storage/events.js';
import type { OpenStudy } from '../../src/search/storage/storage.js';
import { finishedTrials } from '../../src/search/trials.js';
import { type Bench, contextOf, type Setting } from './samplers-bench.js';

/** One run of one sampler. */
export interface Plan {
  readonly sampler: SamplerName;
  readonly fidelity: Fidelity;
  readonly seed: number;
  /** Most trials and most seconds of the run; whichever comes first. */
  readonly trials: number;
  readonly seconds: number;
  /** Tells runs of one sampler, fidelity and seed apart: `capped` or `paper`. */
  readonly part: 'capped' | 'paper';
}

/** What a run came to. */
export interface Run extends Plan {
  /** After every trial: seconds since the run began, all that it used included; its score; the best score so far. */
  readonly curve: readonly {
    readonly seconds: number;
    readonly score: number;
    readonly best: number;
  }[];
  readonly final: Candidate;
  /** Trial that first proposed the final candidate's mask, from 0. */
  readonly finalTrial: number;
}

/**
 * Runs a sampler, or goes on where it was killed. Finished trials are kept in its journal; one that was under way is tried
 * again. Seconds are those of asking and scoring, as first measured, on top of what the run begins with.
 */
export async function runSampler(setting: Setting, bench: Bench, plan: Plan): Promise<Run> {
  const { sampler: name, seed, fidelity } = plan;
  const bits = 2 * setting.model.engine.config.layers;
  const study = await setting.storage.open(
    `${plan.part}-${fidelity}-${name}-${seed}`,
    { sampler: name, seed, bits, context: contextOf(setting, fidelity) },
    { resume: true },
  );
  try {
    const known = WrittenCandidate.safeParse(noteOf(study, 'final'));
    const wanted = { trials: plan.trials, seconds: plan.seconds };
    const same = z
      .object({ trials: z.number(), seconds: z.number() })
      .safeParse(noteOf(study, 'wanted'));
    const isDone =
      known.success && same.data?.trials === wanted.trials && same.data.seconds === wanted.seconds;
    const final = isDone ? readCandidate(known.data) : await finish(bench, plan, study, bits);
    if (!isDone) {
      await study.append({ type: 'note', key: 'wanted', value: wanted });
      await study.append({ type: 'note', key: 'final', value: writeCandidate(final) });
    }
    return { ...plan, ...recordOf(study, bench.startSeconds(name), final) };
  } finally {
    await study.close();
  }
}

/** Makes the trials that are missing; the final candidate. */
async function finish(
  bench: Bench,
  plan: Plan,
  study: OpenStudy,
  bits: number,
): Promise<Candidate> {
  const { scorer } = bench;
  const space = { bits, draft: scorer.draft };
  const { sampler, predict } = await createSampler(plan.sampler, space, plan.seed, bench.sources);
  const trials = finishedTrials(study.events);
  let spent = bench.startSeconds(plan.sampler);
  for (const event of study.events) if (event.type === 'finished') spent += event.seconds;
  for (const { proposed, score, variance } of trials) sampler.tell(proposed, score, variance);
  while (trials.length < plan.trials && (spent < plan.seconds || trials.length === 0)) {
    const began = performance.now();
    const proposed = sampler.ask();
    const asked = (performance.now() - began) / 1000;
    const trial = trials.length;
    const time = new Date().toISOString();
    await study.append({ type: 'started', trial, candidate: writeCandidate(proposed), time });
    const { scored, seconds } = await scorer.score(proposed);
    const { candidate, score, variance, figures } = scored;
    await study.append({
      ...{ type: 'finished', trial, score, variance },
      figures: { ...figures, ask_seconds: asked },
      rule: writeRule(candidate.draft),
      seconds: asked + seconds,
    });
    sampler.tell(proposed, score, variance);
    trials.push({ number: trial, proposed, candidate, score, variance, figures });
    spent += asked + seconds;
  }
  // Single decodes are noisy: a sampler that has a model of them is asked for its belief, as in a search.
  const value = (trial: (typeof trials)[number]) =>
    bench.fidelity === 'decode' && predict ? predict(trial.proposed) : trial.score;
  const values = trials.map(value);
  return trials[values.indexOf(Math.max(...values))]!.candidate;
}

function recordOf(
  study: OpenStudy,
  start: number,
  final: Candidate,
): Pick<Run, 'curve' | 'final' | 'finalTrial'> {
  let seconds = start;
  let best = -Infinity;
  const curve: Run['curve'][number][] = [];
  for (const event of study.events) {
    if (event.type !== 'finished') continue;
    seconds += event.seconds;
    best = Math.max(best, event.score);
    curve.push({ seconds, score: event.score, best });
  }
  const finalTrial = finishedTrials(study.events).findIndex(
    ({ candidate }) => candidateKey(candidate) === candidateKey(final),
  );
  return { curve, final, finalTrial };
}
