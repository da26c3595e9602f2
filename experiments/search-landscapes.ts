// How often and how fast the samplers find the optimum of synthetic 16-bit landscapes (pairwise interactions, noise).
// Run from the repository root:
//   node --import ./test/register-typescript.mjs experiments/search-landscapes.ts [seeds=50] [trials=200] [density=1]
// Prints CSV: per method the share of seeds that tried the optimum and the mean regret after some numbers of trials
// (regret in standard deviations of the landscape). greedy gets the noise-free values of the masks that skip one bit as its
// ranking; swift, whose masks all skip the same share, can mostly not reach the optimum; dp has no hidden states here.
import { createBoSampler } from '../src/search/samplers/bo.js';
import { createGreedySampler } from '../src/search/samplers/greedy.js';
import { createRandomSampler } from '../src/search/samplers/random.js';
import { createRelaxedGpSampler } from '../src/search/samplers/relaxed-gp.js';
import { createSwiftSampler } from '../src/search/samplers/swift.js';
import {
  FIXED_RULE,
  type Landscape,
  maskOf,
  type Outcome,
  pairwiseLandscape,
  runLocalSearch,
  runSampler,
} from './landscapes.js';

const [seeds = 50, trials = 200, density = 1] = process.argv.slice(2).map(Number);
const bits = 16;
const space = { bits, draft: FIXED_RULE };
const landscapes = Array.from({ length: seeds }, (_, seed) =>
  pairwiseLandscape(bits, density, seed),
);
const methods: Record<string, (seed: number) => Outcome> = {
  bo: (seed) => runSampler(landscapes[seed], createBoSampler(space, seed, []), trials, seed),
  'local-search': (seed) => runLocalSearch(landscapes[seed], trials, seed),
  'relaxed-gp': (seed) =>
    runSampler(landscapes[seed], createRelaxedGpSampler(space, seed), trials, seed),
  greedy: (seed) =>
    runSampler(
      landscapes[seed],
      createGreedySampler(space, seed, singleValues(landscapes[seed])),
      trials,
      seed,
    ),
  swift: (seed) => runSampler(landscapes[seed], createSwiftSampler(space, seed), trials, seed),
  random: (seed) => runSampler(landscapes[seed], createRandomSampler(space, seed), trials, seed),
};

const marks = [25, 50, 100, 150, trials].filter((mark) => mark <= trials);
console.log(
  ['method', 'seeds', 'found', ...marks.map((mark) => `regret_${mark}`), 'seconds'].join(','),
);
for (const [name, run] of Object.entries(methods)) {
  const began = performance.now();
  const outcomes = landscapes.map((_, seed) => run(seed));
  const mean = (at: number) => outcomes.reduce((sum, o) => sum + o.regret[at - 1], 0) / seeds;
  const found = outcomes.filter((o) => o.found).length / seeds;
  const seconds = (performance.now() - began) / 1000 / seeds;
  const figures = [found, ...marks.map(mean), seconds].map((figure) => figure.toFixed(3));
  console.log([name, seeds, ...figures].join(','));
}

/** What each bit is worth by itself. */
function singleValues(landscape: Landscape): Float64Array {
  return Float64Array.from({ length: bits }, (_, bit) => landscape.value(maskOf(2 ** bit, bits)));
}
