/**
 * Proof of the machinery, not of a model: on a deep random miniature whose inner sublayers are scaled towards zero, so
 * that skipping them is nearly free, does the search find them, and does the measured speedup follow?
 *
 *     node --import ./test/register-typescript.mjs experiments/deep-miniature.ts [OUTPUT] [TRIALS]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GREEDY } from '../src/decoding/sampling/options.js';
import { loadModel } from '../src/engine/load-model.js';
import { Random } from '../src/random.js';
import { runSearch } from '../src/search/run.js';
import { searchDocument } from '../src/search/search-document.js';
import type { SearchRequest } from '../src/search/search-request.js';
import { journalStorage } from '../src/study/journal.js';
import { writeMiniature } from '../test/helpers/miniature.js';
import { writeJson } from './lib/output.js';

const [output = 'results', trials = '30'] = process.argv.slice(2);
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
    ...{ id: `${name}-${i}`, dataset: 'random tokens' },
    tokens: Array.from({ length: 24 }, () => random.integer(config.vocabSize)),
  }));
const dataset = { name: 'random tokens', split: null, version: 1, hash: '', prompts: 0 };
const started = performance.now();
const start = { sampler: 'bo', seed: 0, bits: 2 * layers, context: {} };
const study = await journalStorage(folder).open('deep', start, { resume: false });
const request: SearchRequest = {
  ...{ sampler: 'bo', fidelity: 'decode', seed: 0, trials: Number(trials), finalists: 3 },
  ...{ promptsPerTrial: 4, study },
  ...{ calibration: prompts('calibration', 12), holdout: prompts('holdout', 40), fitting: [] },
  settings: {
    ...{ maxNewTokens: 64, repetitions: 1, warmup: 2, sampling: GREEDY, coupling: 'gumbel' },
  },
};
const result = await runSearch(model, request);
await study.close();
await model.close();
rmSync(folder, { recursive: true });
const { best, holdout, wall_seconds } = searchDocument(
  'deep',
  request,
  result,
  '',
  { calibration: { dataset }, holdout: { dataset } },
  started,
);
const { skip_attention, skip_mlp, draft_length, draft_exit, threshold } = best;
const skipped = [...skip_attention, ...skip_mlp];
const isInner = (layer: number) => layer > 0 && layer < layers - 1;
const document = {
  ...{ layers, trials: request.trials, wall_seconds, skip_attention, skip_mlp },
  inner_sublayers_skipped: skipped.filter(isInner).length,
  outer_sublayers_skipped: skipped.filter((layer) => !isInner(layer)).length,
  ...{ draft_length, draft_exit, threshold, holdout },
};
writeJson(output, 'deep-miniature', document);
console.log(JSON.stringify(document, null, 2));
