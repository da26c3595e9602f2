// Seconds that one ask of each sampler takes after 1000 trials of 160 bits (an 80-layer model), and of a resumed study: all of
// them told at once first. Timings count on a quiet machine only.
// Run from the repository root:
//   node --import ./test/register-typescript.mjs experiments/ask-cost.ts [trials=1000] [bits=160] [asks=5]
// Prints CSV.
import { median } from 'simple-statistics';
import { Random } from '../src/random.js';
import {
  type Candidate,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../src/search/candidate.js';
import { createSampler, samplerNames } from '../src/search/samplers/create.js';

const [trials = 1000, bits = 160, asks = 5] = process.argv.slice(2).map(Number);
const space: SearchSpace = { bits, draft: 'search' };
const sources = {
  agreement: async () => Float64Array.from({ length: bits }, (_, bit) => (7 * bit) % bits),
  plan: async () => [Uint8Array.from({ length: bits }, (_, bit) => bit % 2)],
};
const score = ({ mask }: Candidate) =>
  mask.reduce((sum, bit, i) => sum + bit * Math.cos(i), 0) / Math.sqrt(bits);

console.log('sampler,trials,bits,ask_seconds_median,ask_seconds_longest');
for (const name of samplerNames) {
  const { sampler } = await createSampler(name, space, 0, sources);
  const random = new Random(1);
  // What relaxed-gp and swift are told is foreign to them; they first work out what they would have asked.
  const resumes = name === 'relaxed-gp' ? trials - 40 : 0;
  for (let t = 0; t < trials; t++) {
    const candidate = {
      mask: randomMask(bits, random.uniform(), random),
      draft: randomDraft(space, random),
    };
    sampler.tell(candidate, score(candidate));
    if (resumes > 0 && t >= 40) break;
  }
  const seconds: number[] = [];
  for (let ask = 0; ask < asks + resumes; ask++) {
    const began = performance.now();
    const candidate = sampler.ask();
    seconds.push((performance.now() - began) / 1000);
    sampler.tell(candidate, score(candidate));
  }
  const last = seconds.slice(-asks);
  const figures = [median(last), Math.max(...last)].map((figure) => figure.toFixed(3));
  console.log([name, trials, bits, ...figures].join(','));
}
