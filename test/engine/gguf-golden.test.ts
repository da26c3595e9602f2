import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { complete } from '../../src/decoding/generate.js';
import { loadModel, type Model } from '../../src/engine/load-model.js';

const folder = join(import.meta.dirname, '../../../shared/models/smollm2-135m-instruct');
const isHere = existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.gguf'));
if (!isHere) console.warn('Skipped: no ../shared/models/smollm2-135m-instruct.');

const goldenSchema = z.looseObject({
  cases: z.array(z.looseObject({ prompt: z.array(z.int()), cont: z.array(z.int()) })),
});

describe.skipIf(!isHere)('a published model in a GGUF file', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(folder, { precision: 'fp32' });
  }, 180_000);
  afterAll(() => model?.close());

  it("gives transformers' greedy tokens at fp32", { timeout: 180_000 }, async () => {
    const json = readFileSync(join(folder, 'golden_greedy.json'), 'utf8');
    const { cases } = goldenSchema.parse(JSON.parse(json));
    // One of every ten, so that all kinds are among them.
    for (const { prompt, cont } of cases.filter((_, i) => i % 10 === 0)) {
      const expected = cont.slice(0, 32);
      const request = { prompt, maxNewTokens: expected.length, ignoreEos: true };
      expect((await complete(model.engine, request)).tokens).toEqual(expected);
    }
  });

  it('has its tokeniser and chat template', () => {
    const text = model.tokenizer?.chat([{ role: 'user', content: 'Hello 42!' }]) ?? '';
    const ids = model.tokenizer?.encode(text) ?? [];
    expect(model.tokenizer?.decode(ids, { skipSpecialTokens: false })).toBe(text);
    expect(text).toContain('<|im_start|>assistant');
  });
});
