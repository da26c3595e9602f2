/**
 * What the gates cost: the bundled model's graph with and without them, passes of one token, interleaved; and how cheap a
 * pass with every sublayer skipped is. The autoregressive baseline runs on the gated graph, so this is what it loses by it.
 *
 *     node --import ./test/register-typescript.mjs experiments/gates.ts
 */
import { median, quantile } from 'simple-statistics';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { resolveModel } from '../src/checkpoint/resolve.js';
import { physicalCores } from '../src/engine/cores.js';
import { Engine } from '../src/engine/engine.js';
import { writeFileAtomic } from '../src/files.js';
import { compileModel } from '../src/graph/compile.js';
import { precisions } from '../src/graph/quantise.js';

const context = 128;
const rounds = 300;
const threads = Number(process.argv[2] ?? physicalCores());
const checkpoint = openCheckpoint(await resolveModel('demo'));
const all = Array.from({ length: checkpoint.config.layers }, (_, l) => l);
const tokens = Array.from(
  { length: context + 1 },
  (_, i) => (i * 7919 + 13) % checkpoint.config.vocabSize,
);

const rows = [];
for (const precision of precisions) {
  const cases = [];
  for (const gated of [true, false]) {
    const engine = await Engine.load(await compileModel(checkpoint, precision), {
      threads,
      form: gated ? 'gated' : 'plain',
    });
    const cache = engine.createCache(context + 8);
    await engine.prefill(cache, tokens.slice(0, context));
    cases.push({ engine, cache, gates: engine.target, times: [] as number[] });
    if (gated) {
      const gates = engine.gates({ attention: all, mlp: all });
      cases.push({ engine, cache, gates, times: [] as number[] });
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { engine, cache, gates, times } of cases) {
      // The other session's threads spin for a while after its pass: the first passes of a turn are not counted.
      for (let repeat = 0; repeat < 6; repeat++) {
        const begun = performance.now();
        await engine.forward(cache, tokens.slice(context), context, gates, 'last');
        if (repeat >= 3) times.push(performance.now() - begun);
      }
    }
  }
  const [gated, skipped, plain] = cases.map(({ times }) => ({
    median: median(times),
    low: quantile(times, 0.1),
  })) as [
    Record<'median' | 'low', number>,
    Record<'median' | 'low', number>,
    Record<'median' | 'low', number>,
  ];
  rows.push({
    precision,
    threads,
    gated_ms: gated.median,
    ungated_ms: plain.median,
    gated_over_ungated: gated.median / plain.median,
    gated_over_ungated_p10: gated.low / plain.low,
    all_skipped_ms: skipped.median,
    all_skipped_over_gated: skipped.median / gated.median,
    all_skipped_over_gated_p10: skipped.low / gated.low,
  });
  const engines = new Set(cases.map(({ engine }) => engine));
  for (const engine of engines) await engine.close();
}
writeFileAtomic('results/gates.json', `${JSON.stringify(rows, null, 2)}\n`);
console.table(rows);
