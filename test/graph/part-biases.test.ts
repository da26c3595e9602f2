import { afterAll, describe, expect, it } from 'vitest';
import { type Biases, projections } from '../../src/checkpoint/model-config.js';
import { modelTensors } from '../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { TensorInfo } from '../../src/checkpoint/tensor-info.js';
import type { Engine } from '../../src/engine/engine.js';
import { selfCheck } from '../../src/engine/self-check.js';
import { inputErrorOf } from '../checkpoint/fixtures.js';
import { loadEngine } from '../helpers/engine.js';
import { writeGgufMiniature } from '../helpers/gguf-miniature.js';
import { logitDistance, randomTokens } from '../helpers/logits.js';
import { referenceLogits } from '../helpers/reference.js';

/** GGUF miniatures, as a file of those tells of each projection whether it has a bias. */
const write = (biases: Partial<Biases>) =>
  writeGgufMiniature({ vocabSize: 128, contextLength: 128, layers: 2, biases }, () => 'F32');

describe.each<[string, Partial<Biases>]>([
  ['q and k', { q: true, k: true }],
  ['v alone, the last of a product', { v: true }],
  ['k, o and gate', { k: true, o: true, gate: true }],
  ['up and down', { up: true, down: true }],
])('biases of some projections: %s', (_, biases) => {
  const file = write(biases);
  const checkpoint = openCheckpoint(file);
  const { config } = checkpoint;
  const engines: Engine[] = [];
  afterAll(async () => {
    checkpoint.close();
    for (const engine of engines) await engine.close();
  });
  const load = async (precision: 'fp32' | 'int8') => {
    const engine = await loadEngine(file, precision, 1, 'gated');
    engines.push(engine);
    return engine;
  };
  const values = (name: string) => {
    const tensor = checkpoint.identity.get(name)!;
    return checkpoint.readRows(tensor, 0, tensor.shape[0]!);
  };
  const tokens = randomTokens(70, config.vocabSize, 3);
  const distance = async (engine: Engine) => {
    const logits = await engine.forward(engine.createCache(70), tokens, 0, engine.target, 'all');
    return logitDistance(logits, referenceLogits(config, values, tokens));
  };

  it('are in the configuration, each by itself', () => {
    for (const part of projections) expect(config.biases[part]).toBe(biases[part] ?? false);
  });

  it('are added to their own rows', async () => {
    expect((await distance(await load('fp32'))).max).toBeLessThan(1e-4);
    // What rounding to 8 bits may move them by, see quantised.test.ts.
    expect((await distance(await load('int8'))).rms).toBeLessThan(0.08);
  });

  it('a pass of several tokens has the bits of passes of one', async () => {
    for (const engine of engines) expect((await selfCheck(engine)).different).toEqual([]);
  });
});

describe('biases that differ from layer to layer', () => {
  const checkpoint = openCheckpoint(write({ q: true }));
  const find = (change: (tensors: Map<string, TensorInfo>) => void) => {
    const tensors = new Map(checkpoint.tensors);
    change(tensors);
    return inputErrorOf(() => modelTensors({ ...checkpoint, tensors }));
  };

  it('are refused where a later layer has one more', () => {
    const extra = { ...checkpoint.tensors.get('blk.1.attn_q.bias')!, name: 'blk.1.attn_k.bias' };
    expect(find((tensors) => tensors.set(extra.name, extra))).toMatch(
      /tensor "blk\.1\.attn_k\.bias" is a bias, which a llama model of this configuration does not have/,
    );
  });

  it('are refused where a later layer has one fewer', () => {
    expect(find((tensors) => tensors.delete('blk.1.attn_q.bias'))).toMatch(
      /tensor "blk\.1\.attn_q\.bias" of shape \[64\] is missing/,
    );
  });
});
