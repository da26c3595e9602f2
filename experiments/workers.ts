// What workers gain: searches on made-up models with simulated workers, whose trials take times of their own, spread by a third.
// A mask's draft is right with a chance that falls with every skipped sublayer (some matter ten times as much as others, pairs
// beyond their sum) and costs what it keeps; the score is the expected speedup of the best draft length. Of each number of
// workers: trials and time until a search is within 1% and 0.2% of the best that any search found, by the median over seeds; the
// unit of time is a trial's. Counts alone: no clock is read.
// Run from the repository root:
//   node --import ./test/register-typescript.mjs experiments/workers.ts [bits=60] [trials=320] [seeds=7] [OUTPUT]
// Writes workers.json.
import { median } from 'simple-statistics';
import type { Candidate, SearchSpace } from '../src/optimise/candidate.js';
import { createBoSampler } from '../src/optimise/samplers/bo.js';
import { Random } from '../src/random.js';
import { writeJson } from './lib/output.js';

const [bits = 60, trials = 320, seeds = 7] = process.argv.slice(2, 5).map(Number);
const [output = 'results'] = process.argv.slice(5);
const WORKERS = [1, 2, 4, 8, 16, 32, 64];
const space: SearchSpace = { bits, draft: { exit: 'fixed', draftLength: 4, threshold: 0 } };

/** Time and number of a finished trial, and the best score by then. */
interface Step {
  readonly time: number;
  readonly trial: number;
  readonly best: number;
}

/** A model: the expected speedup of a mask. */
function madeUpModel(seed: number): (candidate: Candidate) => number {
  const random = new Random(seed, 1);
  const alone = Array.from({ length: bits }, () => 0.004 * 10 ** random.uniform());
  const pairs = Array.from({ length: 2 * bits }, () => ({
    a: random.integer(bits),
    b: random.integer(bits),
    loss: 0.02 * random.uniform() ** 2,
  }));
  return ({ mask }) => {
    let loss = 0;
    for (const [bit, skipped] of mask.entries()) loss += skipped * alone[bit]!;
    for (const { a, b, loss: both } of pairs) loss += mask[a]! * mask[b]! * both;
    const accepted = Math.exp(-loss);
    const cost = 0.1 + (0.9 * mask.filter((bit) => bit === 0).length) / bits;
    let best = 0;
    for (let length = 1; length <= 12; length++) {
      const tokens = (1 - accepted ** (length + 1)) / (1 - accepted);
      best = Math.max(best, tokens / (length * cost + 1 + 0.08 * length));
    }
    return best;
  };
}

function search(seed: number, workers: number): Step[] {
  const score = madeUpModel(seed);
  const sampler = createBoSampler(space, seed, []);
  const random = new Random(seed, 2);
  const running: { readonly candidate: Candidate; readonly ends: number }[] = [];
  const steps: Step[] = [];
  let time = 0;
  let best = 0;
  while (steps.length < trials) {
    while (running.length < workers && steps.length + running.length < trials) {
      const took = 1 + (random.uniform() - 0.5) * (2 / 3);
      running.push({ candidate: sampler.ask(), ends: time + took });
    }
    running.sort((a, b) => a.ends - b.ends);
    const { candidate, ends } = running.shift()!;
    time = ends;
    const found = score(candidate);
    sampler.tell(candidate, found);
    best = Math.max(best, found);
    steps.push({ time, trial: steps.length + 1, best });
  }
  return steps;
}

const searches = Array.from({ length: seeds }, (_, seed) =>
  WORKERS.map((workers) => search(seed, workers)),
);
const reached = (share: number, w: number) => {
  const found = searches.map((all) => {
    const most = Math.max(...all.map((steps) => steps.at(-1)!.best));
    return all[w]!.find(({ best }) => best >= share * most);
  });
  const isReached = found.filter((step) => step !== undefined);
  if (isReached.length <= seeds / 2) return { trials: null, time: null };
  const by = (pick: (step: Step) => number) =>
    median(found.map((step) => (step ? pick(step) : Infinity)));
  return { trials: by(({ trial }) => trial), time: by(({ time }) => Number(time.toFixed(1))) };
};
const rows = WORKERS.map((workers, w) => ({
  workers,
  within_1_percent: reached(0.99, w),
  within_02_percent: reached(0.998, w),
  best: Number(median(searches.map((all) => all[w]!.at(-1)!.best)).toFixed(4)),
}));
writeJson(output, 'workers', { bits, trials, seeds, rows });
