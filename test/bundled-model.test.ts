import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mean } from 'simple-statistics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLED, loadBundled } from '../src/datasets/load.js';
import { complete } from '../src/decoding/generate.js';
import { loadModel, type Model } from '../src/engine/load-model.js';
import { demo } from './helpers/engine.js';
import { repeatedShare } from './helpers/repetition.js';

const mebibyte = 2 ** 20;
const newTokens = 64;
const promptsPerKind = 8;

let model: Model;
beforeAll(async () => {
  model = await loadModel('demo');
});
afterAll(() => model.close());

describe('the bundled model', () => {
  it('is deep enough that choosing sublayers is a problem, and small enough to ship', () => {
    const { layers, kvHeads, heads, contextLength } = model.engine.config;
    expect(layers).toBeGreaterThanOrEqual(16);
    expect(heads % kvHeads === 0 && kvHeads < heads).toBe(true);
    expect(contextLength).toBeGreaterThanOrEqual(1024);
    const sizes = readdirSync(demo).map((name) => [name, statSync(join(demo, name)).size] as const);
    const shards = sizes.filter(([name]) => name.endsWith('.safetensors'));
    for (const [name, size] of shards) expect(size, name).toBeLessThanOrEqual(15 * mebibyte);
    expect(shards.reduce((sum, [, size]) => sum + size, 0)).toBeLessThanOrEqual(64e6);
  });

  it('says where it comes from', () => {
    const card = readFileSync(join(demo, 'README.md'), 'utf8');
    for (const word of ['TinyStories', 'tldr-pages', 'GSM8K', 'CC BY', 'MIT', 'Held-out loss']) {
      expect(card).toContain(word);
    }
    expect(JSON.parse(readFileSync(join(demo, 'training.json'), 'utf8'))).toMatchObject({
      runs: expect.arrayContaining([
        expect.objectContaining({ tokens: expect.any(Number), seconds: expect.any(Number) }),
      ]),
    });
  });

  it.each(BUNDLED)('does not only loop on held-out prompts of %s', async (kind) => {
    const { engine, tokenizer } = model;
    const shares: number[] = [];
    for (const { prompt } of loadBundled(kind, 'heldout').prompts.slice(0, promptsPerKind)) {
      const { tokens } = await complete(engine, {
        prompt: tokenizer!.encodePrompt(prompt),
        maxNewTokens: newTokens,
      });
      shares.push(repeatedShare(tokens));
    }
    // A loop of any period up to 15 has a share above 0.7. The aim is 0.35, which code misses (see the card); the model that
    // this one grew from has 0.56 on math.
    expect(mean(shares)).toBeLessThan(0.45);
  });
});
