/**
 * Speculative output against autoregressive output, token by token, over 100,000 tokens of seeded random combinations of
 * prompt, mask, exit rule, draft length, precision, greedy or Gumbel sampling; on the bundled model and on generated
 * miniatures with grouped-query, multi-query and multi-head attention.
 *
 *     node --import ./test/register-typescript.mjs experiments/losslessness.ts [tokens]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../src/checkpoint/safetensors.js';
import { type GenerateRequest, type Generation, generate } from '../src/decoding/generate.js';
import { Engine } from '../src/engine/engine.js';
import { writeFileAtomic } from '../src/files.js';
import { compileModel } from '../src/graph/compile.js';
import { precisions } from '../src/graph/quantise.js';
import { packageRoot } from '../src/package-root.js';
import { randomCombination } from '../test/helpers/combinations.js';
import { writeMiniature } from '../test/helpers/miniature.js';

const wanted = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), 'sspec-losslessness-'));
const shape = {
  layers: 6,
  hiddenSize: 128,
  heads: 4,
  headDim: 32,
  contextLength: 320,
  innerScale: 0.3,
};
const models = [
  { name: 'bundled', directory: join(packageRoot(), 'models', 'demo') },
  ...[2, 1, 4].map((kvHeads) => {
    const name = `miniature with ${kvHeads} of 4 K/V heads`;
    const { directory } = writeMiniature(join(folder, String(kvHeads)), { ...shape, kvHeads });
    return { name, directory };
  }),
];

async function complete(engine: Engine, request: GenerateRequest): Promise<Generation> {
  const running = generate(engine, request);
  for (;;) {
    const step = await running.next();
    if (step.done) return step.value;
  }
}

const rows = [];
const share = wanted / (models.length * precisions.length);
let seed = 0;
for (const { name, directory } of models) {
  for (const precision of precisions) {
    const engine = await Engine.load(await compileModel(openCheckpoint(directory), precision), {
      threads: 2,
    });
    const row = {
      model: name,
      precision,
      generations: 0,
      tokens: 0,
      proposed: 0,
      accepted: 0,
      different: 0,
    };
    for (; row.tokens < share; seed++) {
      const { method, sampling, prompt, newTokens } = randomCombination(seed, engine.config);
      const request = { prompt, sampling, maxNewTokens: newTokens, ignoreEos: seed % 2 === 0 };
      const plain = await complete(engine, request);
      const speculative = await complete(engine, { ...request, method });
      row.generations++;
      row.tokens += plain.tokens.length;
      row.proposed += speculative.statistics.proposedTokens;
      row.accepted += speculative.statistics.acceptedTokens;
      if (plain.tokens.join() !== speculative.tokens.join()) {
        row.different++;
        console.error(`seed ${seed} differs on ${name} in ${precision}`);
      }
    }
    console.error(JSON.stringify(row));
    rows.push(row);
    await engine.close();
  }
}
rmSync(folder, { recursive: true });
writeFileAtomic('results/losslessness.json', `${JSON.stringify(rows, null, 2)}\n`);
console.table(rows);
if (rows.some((row) => row.different > 0)) process.exitCode = 1;
