/**
 * What the audit decodes: the bundled model on texts, and generated miniatures with grouped-query, multi-query and multi-head
 * attention on random tokens.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import { BUNDLED, loadBundled, loadDataset } from '../../src/datasets/load.js';
import { compileModel } from '../../src/graph/compile.js';
import { precisions } from '../../src/graph/quantise.js';
import { packageRoot } from '../../src/package-root.js';
import { Random } from '../../src/random.js';
import { writeMiniature } from '../../test/helpers/miniature.js';
import type { PlannedModel, PromptSource } from './audit-plan.js';

/** A model of the audit, compiled at every precision. */
export type AuditModel = Awaited<ReturnType<typeof compiledModel>>;

/** Benchmarks that are used where they lie beside the repository. */
const benchmarks = ['humaneval_100', 'mbpp_100', 'spec_bench'];
const heads = 4;

/** @param folder where the miniatures are written. @returns the bundled model first, and the datasets' hashes by name. */
export async function loadAuditModels(folder: string) {
  const directory = join(packageRoot(), 'models', 'demo');
  const files = benchmarks
    .map((name) => join(packageRoot(), '..', 'shared', 'bench', `${name}.jsonl`))
    .filter((file) => existsSync(file));
  const datasets = [
    ...BUNDLED.map((name) => loadBundled(name, 'heldout')),
    ...files.map((file) => loadDataset(file)),
  ];
  const tokenizer = loadTokenizer(directory)!;
  const sources = datasets.map(({ name, prompts }) => ({
    name,
    prompts: prompts.map(({ id, prompt }) => ({ id, tokens: tokenizer.encodePrompt(prompt) })),
  }));
  const models = [await compiledModel('bundled', directory, sources)];
  for (const kvHeads of [2, 1, heads]) {
    const { directory, config } = writeMiniature(join(folder, `kv${kvHeads}`), {
      ...{ layers: 6, hiddenSize: 128, heads, kvHeads, headDim: 32 },
      ...{ contextLength: 512, innerScale: 0.3 },
    });
    const name = `miniature with ${kvHeads} of ${heads} K/V heads`;
    models.push(await compiledModel(name, directory, [randomTokens(config.vocabSize)]));
  }
  return { models, datasets: Object.fromEntries(datasets.map(({ name, hash }) => [name, hash])) };
}

/**
 * Which model and precision a stretch of the plan runs on: three stretches of four are the bundled model's, one for each
 * precision, the fourth a miniature's.
 */
export function modelOfStretch([bundled, ...miniatures]: readonly AuditModel[], stretch: number) {
  const turn = Math.floor(stretch / 4);
  const place = stretch % 4;
  if (place < 3) return { model: bundled!, precision: precisions[place]! };
  const round = Math.floor(turn / miniatures.length);
  return {
    model: miniatures[turn % miniatures.length]!,
    precision: precisions[round % precisions.length]!,
  };
}

async function compiledModel(name: string, directory: string, sources: readonly PromptSource[]) {
  const checkpoint = openCheckpoint(directory);
  const { layers, contextLength } = checkpoint.config;
  const planned: PlannedModel = { layers, contextLength, sources };
  const compiled = {
    fp32: await compileModel(checkpoint, 'fp32'),
    int8: await compileModel(checkpoint, 'int8'),
    int4: await compileModel(checkpoint, 'int4'),
  };
  return { name, planned, compiled };
}

/** Every other token repeats the one five places before, so that prompt lookup has something to find. */
function randomTokens(vocabSize: number): PromptSource {
  const random = new Random(1);
  const prompts = Array.from({ length: 200 }, (_, p) => {
    const tokens: number[] = [];
    const length = 1 + random.integer(150);
    for (let i = 0; i < length; i++)
      tokens.push(i >= 5 && random.uniform() < 0.5 ? tokens[i - 5]! : random.integer(vocabSize));
    return { id: `random-${p}`, tokens };
  });
  return { name: 'random tokens', prompts };
}
