// What one ask of a model-based sampler takes around 1000 trials of 160 bits (an 80-layer model): of bo, and of the model that
// relaxed-gp and swift share. Of `asks` asks, half of them before `trials`, the first (of a study that is resumed: all factors
// are made anew), the median and the slowest of the others, of which some refit the hyperparameters. Timings count on a quiet
// machine only; seconds of CPU beside them count elsewhere too.
// Run from the repository root:
//   node --import ./test/register-typescript.mjs experiments/ask-cost.ts [trials=1000] [bits=160] [asks=200] [OUTPUT]
// Writes ask-cost.json.
import { median } from 'simple-statistics';
import { cpuModel } from '../src/engine/cores.js';
import {
  type Candidate,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../src/optimise/candidate.js';
import { MaternProcess } from '../src/optimise/gp/matern.js';
import { createBoSampler } from '../src/optimise/samplers/bo.js';
import {
  cornerOf,
  cut,
  randomPoint,
  relaxedDimensions,
} from '../src/optimise/samplers/relaxed-space.js';
import { upperBoundMaximum } from '../src/optimise/samplers/upper-bound.js';
import { Random } from '../src/random.js';
import { writeJson } from './lib/output.js';

const [trials = 1000, bits = 160, asks = 200] = process.argv.slice(2, 5).map(Number);
const [output = 'results'] = process.argv.slice(5);
const space: SearchSpace = { bits, draft: 'search' };
const random = new Random(1);
const score = ({ mask }: Candidate) =>
  mask.reduce((sum, bit, i) => sum + bit * Math.cos(i), 0) / Math.sqrt(bits);
const candidate = (): Candidate => ({
  mask: randomMask(bits, random.uniform(), random),
  draft: randomDraft(space, random),
});

const bo = createBoSampler(space, 0, []);
for (let t = 0; t < trials - asks / 2; t++) {
  const tried = candidate();
  bo.tell(tried, score(tried));
}
const relaxed = new MaternProcess(relaxedDimensions(space));
for (let t = 0; t < trials - asks / 2; t++) {
  const point = randomPoint(space, random);
  relaxed.append(point, score(cut(point, space)));
}

const rows = [
  timed('bo', () => {
    const tried = bo.ask();
    return () => bo.tell(tried, score(tried));
  }),
  timed('relaxed-gp', () => {
    const tried = cut(upperBoundMaximum(relaxed, 2.576, random), space);
    return () => relaxed.append(cornerOf(tried, space), score(tried));
  }),
];
const document = { trials, bits, asks, cpu: cpuModel(), rows };
writeJson(output, 'ask-cost', document);
console.table(rows);

/** Times asks; what each returns is run after it, untimed. */
function timed(sampler: string, ask: () => () => void) {
  const times = Array.from({ length: asks }, () => {
    const began = performance.now();
    const cpu = process.cpuUsage();
    const tell = ask();
    const { user, system } = process.cpuUsage(cpu);
    const seconds = [(performance.now() - began) / 1000, (user + system) / 1e6];
    tell();
    return seconds;
  });
  const [first, ...rest] = times as [number[], ...number[][]];
  const others = (i: number) => rest.map((time) => time[i]!);
  return {
    sampler,
    first_seconds: first[0]!,
    median_seconds: median(others(0)),
    slowest_seconds: Math.max(...others(0)),
    first_cpu_seconds: first[1]!,
    median_cpu_seconds: median(others(1)),
    slowest_cpu_seconds: Math.max(...others(1)),
  };
}
