/**
 * What the gates cost: the bundled model's graph with and without them, passes of one token, interleaved; and how cheap a
 * pass with every sublayer skipped is. Search replays on the gated graph; decoding runs on the plain one.
 *
 *     node --import ./test/register-typescript.mjs experiments/gates.ts [THREADS] [ROUNDS] [OUTPUT]
 */
import { median, quantile } from 'simple-statistics';
import { physicalCores } from '../src/engine/cores.js';
import { loadModel } from '../src/engine/load-model.js';
import { precisions } from '../src/graph/quantise.js';
import { ofKind, repeated, timeInTurns } from '../src/measurement/pass-timer.js';
import { writeJson } from './lib/output.js';

const context = 128;
const [threads = physicalCores(), rounds = 300] = process.argv.slice(2, 4).map(Number);
const [output = 'results'] = process.argv.slice(4);
const rows = [];
for (const precision of precisions) {
  const { engine: plain } = await loadModel('demo', { precision, threads });
  const gated = await plain.loadGated();
  const { layers, vocabSize } = plain.config;
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const tokens = Array.from({ length: context + 1 }, (_, i) => (i * 7919 + 13) % vocabSize);
  const turns = [
    { engine: gated, gates: gated.target },
    { engine: gated, gates: gated.gates({ attention: all, mlp: all }) },
    { engine: plain, gates: plain.target },
  ].map((turn) => ({ ...turn, cache: turn.engine.createCache(context + 8) }));
  for (const { engine, cache } of turns) await engine.prefill(cache, tokens.slice(0, context));
  const times = await timeInTurns(
    turns.map(({ engine, cache, gates }) =>
      repeated(() => engine.forward(cache, tokens.slice(context), context, gates, 'last'), {
        passes: 6,
      }),
    ),
    // The other session's threads spin for a while after its pass: the first passes of a turn are not counted.
    { settling: () => 3, goesOn: (done) => done < rounds },
  );
  const kinds = turns.map((_, i) => ofKind(times, i));
  const [gatedMs, skippedMs, plainMs] = kinds.map(median);
  const [gatedLow, skippedLow, plainLow] = kinds.map((kind) => quantile(kind, 0.1));
  rows.push({
    ...{ precision, threads, gated_ms: gatedMs!, ungated_ms: plainMs! },
    gated_over_ungated: gatedMs! / plainMs!,
    gated_over_ungated_p10: gatedLow! / plainLow!,
    all_skipped_ms: skippedMs!,
    all_skipped_over_gated: skippedMs! / gatedMs!,
    all_skipped_over_gated_p10: skippedLow! / gatedLow!,
  });
  await gated.close();
  await plain.close();
}
writeJson(output, 'gates', rows);
console.table(rows);
