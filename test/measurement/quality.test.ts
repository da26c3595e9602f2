import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { compareRows, measureQuality } from '../../src/measurement/quality.js';
import { loadEngine } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

describe('compareRows', () => {
  it('gives loss, agreement and divergence of two distributions', () => {
    const p = [0.5, 0.3, 0.2];
    const q = [0.2, 0.5, 0.3];
    const logits = (of: number[], shift: number) =>
      Float32Array.from(of, (x) => Math.log(x) + shift);
    const { loss, same, divergence } = compareRows(logits(p, 7), logits(q, -90), 2);
    expect(loss).toBeCloseTo(-Math.log(0.3), 5);
    expect(same).toBe(false);
    expect(divergence).toBeCloseTo(
      p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]!), 0),
      5,
    );
    expect(compareRows(logits(p, 7), logits(p, 2), 0).same).toBe(true);
  });

  it('ignores tokens that the reference rules out', () => {
    const p = Float32Array.of(0, -Infinity);
    expect(compareRows(p, Float32Array.of(0, 0), 0).divergence).toBeCloseTo(Math.LN2, 6);
  });
});

describe('measureQuality', () => {
  const { directory, config } = writeMiniature(temporaryDirectory(), { contextLength: 96 });
  let engines: Engine[] = [];
  beforeAll(async () => {
    engines = [
      await loadEngine(directory, 'fp32', 1),
      await loadEngine(directory, 'int8', 1),
      await loadEngine(directory, 'int4', 1),
    ];
  });
  afterAll(() => Promise.all(engines.map((engine) => engine.close())));

  it('orders the precisions, over all positions that have a next token', async () => {
    const done: number[] = [];
    // One longer than the context, one of a chunk and a token, one too short to predict anything.
    const texts = [200, 65, 1].map((length, i) => randomTokens(length, config.vocabSize, i));
    const measured = await measureQuality(engines, texts, (now, total) => {
      expect(total).toBe(95 + 64);
      done.push(now);
    });
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(159);
    expect(measured?.positions).toBe(159);
    const [fp32, int8, int4] = measured!.qualities;
    expect(fp32).toMatchObject({ precision: 'fp32', agreement: 1, divergence: 0 });
    expect(int8!.divergence).toBeGreaterThan(0);
    expect(int4!.divergence).toBeGreaterThan(5 * int8!.divergence);
    expect(int4!.agreement).toBeLessThan(int8!.agreement);
    expect(Math.log(fp32!.perplexity)).toBeGreaterThan(1);
  });

  it('gives the perplexity of one-by-one passes', async () => {
    const text = randomTokens(20, config.vocabSize, 9);
    const [engine] = engines as [Engine];
    const cache = engine.createCache(96);
    let loss = 0;
    for (const [at, token] of text.slice(0, -1).entries()) {
      const row = await engine.forward(cache, [token], at, engine.target, 'all');
      const sum = row.reduce((total, x) => total + Math.exp(x), 0);
      loss += Math.log(sum) - row[text[at + 1]!]!;
    }
    const measured = await measureQuality([engine], [text], () => {});
    expect(Math.log(measured!.qualities[0]!.perplexity)).toBeCloseTo(loss / 19, 5);
  });

  it('gives null for texts of single tokens', async () => {
    expect(await measureQuality(engines, [[1], []], () => {})).toBeNull();
  });
});
