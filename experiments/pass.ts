/**
 * What passes of greedy decoding take against reading the weights once: of 1 to 16 tokens at 64 and at 500 positions, and the prefill of 512 tokens, all
 * in turns with one product that has as many bytes of weights.
 *
 *     node --import ./test/register-typescript.mjs experiments/pass.ts [MODEL] [THREADS] [ROUNDS] [OUTPUT]
 *
 * Large pages speed up reading on Linux: set GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432, as `sspec` does for itself.
 */
import { median, quantile } from 'simple-statistics';
import { physicalCores } from '../src/engine/cores.js';
import { loadModel } from '../src/engine/load-model.js';
import { ofKind, repeated, timeInTurns } from '../src/measurement/pass-timer.js';
import { writeJson } from './lib/output.js';
import { passBytes } from './lib/pass-bytes.js';
import { readBound } from './lib/read-bound.js';

const passes = 8;
const promptLength = 512;
const [reference = 'demo'] = process.argv.slice(2);
const [threads = physicalCores(), rounds = 20] = process.argv.slice(3, 5).map(Number);
const [output = 'results'] = process.argv.slice(5);

const { engine, directory } = await loadModel(reference, { precision: 'int8', threads });
const bytes = passBytes(directory, 'int8');
const bound = await readBound(bytes, threads);
const tokens = Array.from({ length: promptLength + 16 }, (_, i) => {
  return (i * 7919 + 13) % engine.config.vocabSize;
});
const cache = engine.createCache(tokens.length);
await engine.prefill(cache, tokens);

const kinds = [64, 500].flatMap((position) =>
  [1, 2, 4, 8].concat(position === 64 ? [16] : []).map((count) => ({ position, count })),
);
const stretches = kinds.map(({ position, count }) =>
  repeated(() => engine.mostProbable(cache, tokens.slice(position, position + count), position), {
    passes,
  }),
);
const times = await timeInTurns(
  [
    ...stretches,
    repeated(bound.run, { passes }),
    repeated(() => engine.prefill(cache, tokens.slice(0, promptLength)), { passes: 1 }),
  ],
  {
    settling: (done) => (done > 1 ? 3 : 0),
    goesOn: (done) => {
      process.stderr.write(`\r${done} of ${rounds} rounds`);
      return done < rounds;
    },
  },
);
process.stderr.write('\n');

const summary = (kind: number) => {
  const all = ofKind(times, kind);
  return { ms: median(all), ms_p10: quantile(all, 0.1), ms_p90: quantile(all, 0.9) };
};
const read = summary(kinds.length);
const rows = kinds.map((kind, i) => {
  const { ms, ms_p10, ms_p90 } = summary(i);
  const single = summary(kinds.findIndex(({ position }) => position === kind.position));
  return {
    ...{ ...kind, ms, ms_p10, ms_p90 },
    ...{ v: ms / single.ms, v_p10: ms_p10 / single.ms_p10 },
    ...{ over_reading: ms / read.ms, over_reading_p10: ms_p10 / read.ms_p10 },
  };
});
const prefill = summary(kinds.length + 1);
await bound.close();
await engine.close();
const tunables = process.env.GLIBC_TUNABLES ?? null;
writeJson(output, 'pass', {
  ...{ model: reference, precision: 'int8', threads, rounds, glibc_tunables: tunables },
  ...{ weight_bytes: bytes, reading: read, passes: rows },
  prefill: {
    tokens: promptLength,
    ...prefill,
    tokens_per_second: (1000 * promptLength) / prefill.ms,
  },
});
console.table(rows);
console.table({ reading: read, prefill });
