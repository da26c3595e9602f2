import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { families } from '../../../src/checkpoint/families/index.js';
import { modelTensors } from '../../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { complete } from '../../../src/decoding/generate.js';
import type { Engine } from '../../../src/engine/engine.js';
import { ReplayInputs } from '../../../src/engine/replay-inputs.js';
import { selfCheck } from '../../../src/engine/self-check.js';
import { skipPlan } from '../../../src/profile/draft-plan.js';
import { loadEngine } from '../../helpers/engine.js';
import { logitDistance, randomMask } from '../../helpers/logits.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { rawSafetensors, writeFolder } from '../fixtures.js';

/** A model of each family, and what transformers computes with it; see make-checkpoints.py beside them. */
const data = join(import.meta.dirname, '../../data/families');
const models = readdirSync(data, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const goldenSchema = z.object({
  prompt: z.array(z.int()),
  greedy: z.array(z.int()),
  logits_of_prompt_end: z.array(z.number()),
  logits_of_last: z.array(z.number()),
});

const goldenOf = (name: string) =>
  goldenSchema.parse(JSON.parse(readFileSync(join(data, name, 'golden.json'), 'utf8')));

const files = models.flatMap((name): [string, string, string][] => [
  [name, 'a folder', join(data, name)],
  ...(existsSync(join(data, name, 'model.gguf'))
    ? [[name, 'a GGUF file', join(data, name, 'model.gguf')] as [string, string, string]]
    : []),
]);

it.each(
  models.filter((name) => files.some(([of, , path]) => of === name && path.endsWith('.gguf'))),
)('%s is configured alike in both files', (name) => {
  const folder = openCheckpoint(join(data, name)).config;
  const gguf = openCheckpoint(join(data, name, 'model.gguf')).config;
  // Stretched rotations are stored as single numbers there, and eos only with a tokeniser.
  const { ropeScaling: _r, eosTokenIds: _e, ...same } = folder;
  expect(gguf).toMatchObject({ ...same, rmsNormEps: Math.fround(folder.rmsNormEps) });
  expect(gguf.ropeScaling === null).toBe(folder.ropeScaling === null);
});

describe.each(files)('%s in %s', (name, _, path) => {
  const golden = goldenOf(name);
  const { prompt, greedy } = golden;
  const ids = [...prompt, ...greedy];
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine(path, 'fp32', 1, 'gated');
  });
  afterAll(() => engine.close());

  it('gives the logits that transformers does', async () => {
    const { vocabSize } = engine.config;
    const logits = await engine.forward(
      engine.createCache(ids.length),
      ids,
      0,
      engine.target,
      'all',
    );
    const furthest = (position: number, expected: number[]) =>
      logitDistance(logits.slice(position * vocabSize, (position + 1) * vocabSize), [expected]).max;
    expect(furthest(prompt.length - 1, golden.logits_of_prompt_end)).toBeLessThan(2e-4);
    expect(furthest(ids.length - 1, golden.logits_of_last)).toBeLessThan(2e-4);
  });

  it('gives the greedy tokens that transformers does, with a draft as without', async () => {
    const request = { prompt, maxNewTokens: greedy.length, ignoreEos: true };
    expect((await complete(engine, request)).tokens).toEqual(greedy);
    const mask = randomMask(engine.config.layers, 3, 0.4);
    const method = {
      name: 'skip',
      plan: skipPlan(mask),
      draftLength: 5,
      exit: { exit: 'fixed' },
    } as const;
    expect((await complete(engine, { ...request, method })).tokens).toEqual(greedy);
    // Without gates a draft has a session of its own.
    const plain = await loadEngine(path, 'fp32', 1);
    expect((await complete(plain, { ...request, method })).tokens).toEqual(greedy);
    await plain.close();
  });

  it('a window replay sees what passes see', async () => {
    const { config } = engine;
    const cache = engine.createCache(ids.length);
    const logits = await engine.forward(cache, ids, 0, engine.target, 'all');
    const first = prompt.length;
    const inputs = new ReplayInputs(config, cache, {
      ...{ tokens: greedy, first },
      starts: greedy.flatMap((__, i) => (i % 7 === 0 ? [first + i] : [])),
    });
    const replayed = await engine.replay(inputs, engine.target);
    expect(logitDistance(replayed, [logits.slice(first * config.vocabSize)]).max).toBeLessThan(
      2e-4,
    );
  });

  it('a pass of several tokens has the bits of passes of one', async () => {
    expect((await selfCheck(engine)).different).toEqual([]);
    // Of the GGUF file this is the same graph.
    for (const precision of path === join(data, name) ? (['int8', 'int4'] as const) : []) {
      const quantised = await loadEngine(path, precision, 1, 'gated');
      expect((await selfCheck(quantised)).different, precision).toEqual([]);
      await quantised.close();
    }
  });
});

it.each([
  ['gemma', Math.sqrt(32)],
  ['olmo2', 1],
])(
  'sublayers of %s that run alone are given the embeddings as they are multiplied',
  async (name, scale) => {
    const folder = join(data, name);
    const checkpoint = openCheckpoint(folder);
    const token = 17;
    const row = checkpoint.readRows(modelTensors(checkpoint).embedding, token, 1);
    const engine = await loadEngine(folder, 'fp32', 1);
    const sublayers = await engine.loadSublayers();
    const layout = { tokens: [token], first: 0, starts: [0] };
    const inputs = new ReplayInputs(engine.config, engine.createCache(32), layout);
    let hidden = await sublayers.embed(inputs);
    expect([...hidden]).toEqual([...row.map((value) => value * Math.fround(scale))]);
    for (let i = 0; i < sublayers.count; i++) {
      const after = await sublayers.run(i, hidden, inputs);
      expect(after).not.toEqual(hidden);
      hidden = after;
    }
    await sublayers.close();
    await engine.close();
  },
);

it('a model for images and text has the text of the one for text alone', async () => {
  const folder = withImages(join(data, 'gemma3'));
  const engine = await loadEngine(folder, 'fp32', 1);
  const { prompt, greedy } = goldenOf('gemma3');
  const request = { prompt, maxNewTokens: greedy.length, ignoreEos: true };
  expect((await complete(engine, request)).tokens).toEqual(greedy);
  expect(engine.config).toMatchObject({ modelType: 'gemma3', eosTokenIds: [1, 106] });
  await engine.close();
});

/** As transformers saves Gemma 3 with its vision tower, of which one tensor is here. */
function withImages(folder: string): string {
  const {
    model_type: _,
    eos_token_id: _eos,
    ...text
  } = z.looseObject({}).parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));
  const bytes = readFileSync(join(folder, 'model.safetensors'));
  const headerBytes = Number(bytes.readBigUInt64LE());
  const { __metadata__: _metadata, ...tensors } = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()));
  const renamed = Object.entries(tensors).map(([name, place]) => [`language_model.${name}`, place]);
  const weights = bytes.subarray(8 + headerBytes);
  const bias = {
    dtype: 'F16',
    shape: [2],
    data_offsets: [weights.length, weights.length + 4],
  };
  const header = {
    ...Object.fromEntries(renamed),
    'vision_tower.encoder.layers.0.mlp.fc1.bias': bias,
  };
  return writeFolder(temporaryDirectory(), {
    'config.json': { model_type: 'gemma3', eos_token_id: [1, 106], text_config: text },
    'model.safetensors': rawSafetensors(
      JSON.stringify(header),
      Buffer.concat([weights, Buffer.alloc(4)]),
    ),
  });
}

it('there is a model of every family that is not a part of another', () => {
  const found = models.map((name) => openCheckpoint(join(data, name)).config.modelType);
  const whole = families.filter(({ textConfig }) => textConfig === undefined);
  expect(found).toEqual(expect.arrayContaining(whole.map(({ modelType }) => modelType)));
});
