/**
 * What the audit decodes: the bundled model on texts, and generated miniatures with grouped-query, multi-query and multi-head
 * attention on random tokens.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import { BUNDLED, loadBundled, loadDataset } from '../../src/datasets/load.js';
import { type CompiledModel, compileModel } from '../../src/graph/compile.js';
import { type Precision, precisions } from '../../src/graph/quantise.js';
import { packageRoot } from '../../src/package-root.js';
import { Random } from '../../src/random.js';
import { writeMiniature } from '../../test/helpers/miniature.js';
import type { PlannedModel, PromptSource } from './audit-plan.js';

/** A model of the audit, compiled at every precision. */
export interface AuditModel extends PlannedModel {
  readonly name: string;
  readonly compiled: Readonly<Record<Precision, CompiledModel>>;
}

export interface AuditModels {
  readonly bundled: AuditModel;
  readonly miniatures: readonly AuditModel[];
  /** Names and hashes of the datasets. */
  readonly datasets: Readonly<Record<string, string>>;
}

/** Benchmarks that are used where they lie beside the repository. */
const benchmarks = ['humaneval_100', 'mbpp_100', 'spec_bench'];
const heads = 4;

/** @param folder where the miniatures are written. */
export async function loadAuditModels(folder: string): Promise<AuditModels> {
  const directory = join(packageRoot(), 'models', 'demo');
  const datasets = auditDatasets();
  const tokenizer = loadTokenizer(directory);
  if (!tokenizer) throw new Error('the bundled model has a tokenizer');
  const sources = datasets.map(({ name, prompts }) => ({
    name,
    prompts: prompts.map(({ id, prompt }) => ({ id, tokens: tokenizer.encodePrompt(prompt) })),
  }));
  const miniatures = [];
  for (const kvHeads of [2, 1, heads]) {
    const { directory, config } = writeMiniature(join(folder, `kv${kvHeads}`), {
      ...{ layers: 6, hiddenSize: 128, heads, kvHeads, headDim: 32 },
      ...{ contextLength: 512, innerScale: 0.3 },
    });
    const name = `miniature with ${kvHeads} of ${heads} K/V heads`;
    miniatures.push(await compiledModel(name, directory, [randomTokens(config.vocabSize)]));
  }
  return {
    bundled: await compiledModel('bundled', directory, sources),
    miniatures,
    datasets: Object.fromEntries(datasets.map(({ name, hash }) => [name, hash])),
  };
}

/**
 * Which model and precision a stretch of the plan runs on: three stretches of four are the bundled model's, one for each
 * precision, the fourth a miniature's.
 */
export function modelOfStretch({ bundled, miniatures }: AuditModels, stretch: number) {
  const turn = Math.floor(stretch / 4);
  const place = stretch % 4;
  if (place < 3) return { model: bundled, precision: precisions[place] };
  const round = Math.floor(turn / miniatures.length);
  return {
    model: miniatures[turn % miniatures.length],
    precision: precisions[round % precisions.length],
  };
}

function auditDatasets(): Dataset[] {
  const files = benchmarks
    .map((name) => join(packageRoot(), '..', 'shared', 'bench', `${name}.jsonl`))
    .filter((file) => existsSync(file));
  return [
    ...BUNDLED.map((name) => loadBundled(name, 'heldout')),
    ...files.map((file) => loadDataset(file)),
  ];
}

async function compiledModel(
  name: string,
  directory: string,
  sources: readonly PromptSource[],
): Promise<AuditModel> {
  const checkpoint = openCheckpoint(directory);
  const { layers, contextLength } = checkpoint.config;
  const compiled = {
    fp32: await compileModel(checkpoint, 'fp32'),
    int8: await compileModel(checkpoint, 'int8'),
    int4: await compileModel(checkpoint, 'int4'),
  };
  return { name, layers, contextLength, sources, compiled };
}

/** Every other token repeats the one five places before, so that prompt lookup has something to find. */
function randomTokens(vocabSize: number): PromptSource {
  const random = new Random(1);
  const prompts = Array.from({ length: 200 }, (_, p) => {
    const tokens: number[] = [];
    const length = 1 + random.integer(150);
    for (let i = 0; i < length; i++)
      tokens.push(i >= 5 && random.uniform() < 0.5 ? tokens[i - 5] : random.integer(vocabSize));
    return { id: `random-${p}`, tokens };
  });
  return { name: 'random tokens', prompts };
}
