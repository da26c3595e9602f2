import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashedConfig, hashedFields, hashWeights } from '../../src/checkpoint/hash.js';
import { type Biases, llamaLayers, noBiases } from '../../src/checkpoint/model-config.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  hasShared,
  ramp,
  SHARED,
  type StoredTensor,
  safetensors,
  TINY_CONFIG,
  writeFolder,
} from './fixtures.js';

function open(tensors: Record<string, StoredTensor>, config: object = {}) {
  const files = {
    'config.json': { ...TINY_CONFIG, ...config },
    'model.safetensors': safetensors(tensors),
  };
  return openCheckpoint(writeFolder(temporaryDirectory(), files));
}
const hash = (tensors: Record<string, StoredTensor>, config: object = {}) =>
  hashWeights(open(tensors, config));

describe('hashWeights', () => {
  it('does not depend on the order of tensors, on shards, or on where sequences end', async () => {
    const [a, b] = [ramp([2]), ramp([3], 5)];
    const reference = await hash({ a, b });
    expect(reference).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash({ b, a })).toBe(reference);
    expect(
      await hash({ a, b }, { eos_token_id: 3, bos_token_id: null, max_position_embeddings: 8 }),
    ).toBe(reference);
    const sharded = writeFolder(temporaryDirectory(), {
      'config.json': TINY_CONFIG,
      'model.safetensors.index.json': { weight_map: { a: '1.safetensors', b: '2.safetensors' } },
      '1.safetensors': safetensors({ a }),
      '2.safetensors': safetensors({ b }),
    });
    expect(await hashWeights(openCheckpoint(sharded))).toBe(reference);
  });

  it('changes with every byte, name, shape and dtype, and with the configuration', async () => {
    const a = ramp([2]);
    const changed = Uint8Array.from(a.data);
    changed[7] ^= 1;
    const hashes = await Promise.all([
      hash({ a }),
      hash({ a: { ...a, data: changed } }),
      hash({ b: a }),
      hash({ a: { ...a, shape: [2, 1] } }),
      hash({ a: { ...a, dtype: 'F16', shape: [4] } }),
      hash({ a: { ...a, dtype: 'BF16', shape: [4] } }),
      hash({ a }, { rope_theta: 5 }),
      hash({ a }, { rope_scaling: { type: 'linear', factor: 2 } }),
    ]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  // Profiles and studies name models by these: a hash that changes orphans them.
  it.each([
    [
      join(import.meta.dirname, '../../models/demo'),
      '08af83743fb7811c4e0c310c076e86e85015d260b330deaedc8e665ce1d6e8e7',
    ],
    ...Object.entries({
      'starter-10m': 'd9a0aea9f2d423595891f86067efa5968ff3a597b005a2f763036789f480e2b7',
      stories260k: '68de32a0b29ef21d975e9ae41c045b81e1d14b0e543f296535d29d4eeb8c05de',
      'tinystories-656k': 'f670f661835c4ffb1d8213a33b22e635e1c3b286d42e2efe7ab61092ea1c3905',
      'smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf':
        '066045cd01598d8991738bbf52b5258be8dd1f49a5ec2dbafcbb04a9c8c378c1',
    }).flatMap(([name, hash]) =>
      hasShared(`models/${name}`) ? [[join(SHARED, 'models', name), hash]] : [],
    ),
  ])('of %s stays what it was', async (path, hash) => {
    expect(await hashWeights(openCheckpoint(path))).toBe(hash);
  });

  it('leaves out a field that was added later while it has the value that says nothing', () => {
    const shares = { old: 'always', added: { unlessDefault: [] }, where: 'never' } as const;
    const before = hashedFields({ old: 1, where: 2 }, { old: 'always' });
    expect(hashedFields({ where: 2, added: [], old: 1 }, shares)).toEqual(before);
    expect(hashedFields({ old: 1, where: 2, added: [3] }, shares)).toEqual([
      ['added', [3]],
      ['old', 1],
    ]);
  });

  it('has the biases as two flags where they are those of whole sublayers', () => {
    const { config } = open({ a: ramp([2]) });
    const fieldsOf = (biases: Partial<Biases>) =>
      new Map(hashedFields(hashedConfig({ ...config, biases: { ...noBiases, ...biases } })));
    const attention = { q: true, k: true, v: true, o: true };
    expect(fieldsOf({}).get('attentionBias')).toBe(false);
    expect(fieldsOf(attention).get('attentionBias')).toBe(true);
    expect(fieldsOf(attention).has('partBiases')).toBe(false);
    const part = fieldsOf({ q: true, v: true, down: true });
    expect([part.get('attentionBias'), part.get('mlpBias')]).toEqual([false, false]);
    expect(part.get('partBiases')).toEqual(['q', 'v', 'down']);
  });

  it('streams tensors larger than a chunk and reports progress', async () => {
    const a = ramp([3 << 20]);
    const done: number[] = [];
    const total = a.data.length;
    const checkpoint = open({ a });
    const got = await hashWeights(checkpoint, (bytes, all) => {
      expect(all).toBe(total);
      done.push(bytes);
    });
    expect(done).toEqual(Array.from({ length: 12 }, (_, i) => (i + 1) << 20));
    const { biases: _, ...config } = checkpoint.config;
    const { bosTokenId: _b, eosTokenIds: _e, contextLength: _c, ...shaping } = config;
    const hashed = { ...shaping, attentionBias: false, mlpBias: false };
    const sorted = Object.entries(hashed)
      .filter(([name]) => !Object.hasOwn(llamaLayers, name))
      .sort(([x], [y]) => (x < y ? -1 : 1));
    const expected = createHash('sha256')
      .update(`${JSON.stringify(sorted)}\n["a","F32",[${3 << 20}]]\n`)
      .update(a.data);
    expect(got).toBe(expected.digest('hex'));
  });
});
