/**
 * Proof of the machinery, not of a model: on a deep random miniature whose inner sublayers are scaled towards zero, so
 * that skipping them is nearly free, does the search find them, and does the measured speedup follow?
 *
 *     node --import ./test/register-typescript.mjs experiments/deep-miniature.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import { writeFileAtomic } from '../src/files.js';
import { Random } from '../src/random.js';
import { runSearch } from '../src/search/run.js';
import { searchDocument } from '../src/search/search-document.js';
import { journalStorage } from '../src/search/storage/journal.js';
import { writeMiniature } from '../test/helpers/miniature.js';

const layers = 24;
const folder = mkdtempSync(join(tmpdir(), 'sspec-deep-'));
const { directory, config } = writeMiniature(join(folder, 'model'), {
  ...{ layers, hiddenSize: 512, heads: 8, kvHeads: 2, headDim: 64, intermediateSize: 1408 },
  ...{ vocabSize: 1024, contextLength: 256, innerScale: 0.001 },
});
const model = await loadModel(directory);
const random = new Random(5);
const prompts = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `${name}-${i}`,
    dataset: 'random tokens',
    tokens: Array.from({ length: 24 }, () => random.integer(config.vocabSize)),
  }));
const dataset = { name: 'random tokens', split: null, version: 1, hash: '', prompts: 0 };
const started = performance.now();
const study = await journalStorage(join(folder, 'studies')).open(
  'deep',
  { sampler: 'bo', seed: 0, bits: 2 * layers, context: {} },
  { resume: false },
);
const request = {
  sampler: 'bo' as const,
  fidelity: 'decode' as const,
  ...{ seed: 0, trials: 30, finalists: 3, promptsPerTrial: 4, study },
  calibration: prompts('calibration', 12),
  holdout: prompts('holdout', 40),
  settings: {
    maxNewTokens: 64,
    repetitions: 1,
    warmup: 2,
    sampling: GREEDY,
    coupling: 'gumbel' as const,
  },
};
const result = await runSearch(model, request);
await study.close();
const { best, holdout, wall_seconds } = searchDocument(
  'deep',
  request,
  result,
  '',
  { calibration: { dataset }, holdout: { dataset } },
  started,
);
const skipped = [...best.skip_attention, ...best.skip_mlp];
const document = {
  layers,
  trials: request.trials,
  wall_seconds,
  skip_attention: best.skip_attention,
  skip_mlp: best.skip_mlp,
  inner_sublayers_skipped: skipped.filter((layer) => layer > 0 && layer < layers - 1).length,
  outer_sublayers_skipped: skipped.filter((layer) => layer === 0 || layer === layers - 1).length,
  draft_length: best.draft_length,
  draft_exit: best.draft_exit,
  threshold: best.threshold,
  holdout,
};
await model.close();
rmSync(folder, { recursive: true });
writeFileAtomic('results/deep-miniature.json', `${JSON.stringify(document, null, 2)}\n`);
console.log(JSON.stringify(document, null, 2));
