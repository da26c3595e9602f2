import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runCase } from '../../experiments/lib/audit-case.js';
import { planCase } from '../../experiments/lib/audit-plan.js';
import { summariseAudit } from '../../experiments/lib/audit-summary.js';
import type { Engine } from '../../src/engine/engine.js';
import { loadSmallEngine, PROMPTS } from '../evaluation/example.js';
import { aroundPasses } from '../helpers/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await loadSmallEngine();
});
afterAll(() => engine.close());

const sources = [{ name: 'letters', prompts: PROMPTS.map(({ id, tokens }) => ({ id, tokens })) }];
const planned = (contextLength = 96) => ({ layers: 4, contextLength, sources });
const case0 = () => ({ ...planCase(0, 0, planned()), maxNewTokens: 24 });
const recordsOf = () => runCase(engine, 'miniature', case0());

describe('the plan of the audit', () => {
  const cases = Array.from({ length: 60 }, (_, i) => planCase(0, i, planned(512)));
  const methods = cases.flatMap((plan) => plan.methods);

  it('is the same every time', () => {
    expect(planCase(0, 7, planned(512))).toEqual(cases[7]);
    expect(planCase(1, 7, planned(512))).not.toEqual(cases[7]);
  });

  it('has every method, exit rule and way of sampling, masks light and heavy, and contexts short and long', () => {
    expect(new Set(methods.map(({ name }) => name))).toEqual(
      new Set(['skip', 'lookup', 'cascade']),
    );
    const drafts = methods.flatMap((method) => ('exit' in method ? [method] : []));
    const rules = ['fixed', 'threshold', 'adaptive', 'cost'];
    expect(new Set(drafts.map(({ exit }) => exit.exit))).toEqual(new Set(rules));
    expect(new Set(drafts.map(({ fallback }) => fallback !== undefined))).toEqual(
      new Set([true, false]),
    );
    const skipped = drafts.map(({ plan }) => plan.mask.attention.length + plan.mask.mlp.length);
    expect(Math.min(...skipped)).toBe(0);
    expect(Math.max(...skipped)).toBeGreaterThan(5);
    const greedy = cases.filter(({ sampling }) => sampling.temperature === 0);
    expect(greedy.length).toBeGreaterThan(10);
    expect(greedy.length).toBeLessThan(50);
    const lengths = cases.map(({ prompt }) => prompt.length);
    expect(Math.min(...lengths)).toBeLessThan(10);
    expect(Math.max(...lengths)).toBeGreaterThan(400);
    for (const { prompt, maxNewTokens } of cases)
      expect(prompt.length + maxNewTokens).toBeLessThanOrEqual(512);
  });
});

describe('a case of the audit', () => {
  it('compares every method, and finds nothing where there is nothing', async () => {
    const records = await recordsOf();
    expect(records.map(({ unit }) => unit)).toEqual(case0().methods.map((_, i) => `0.${i}`));
    for (const record of records)
      expect(record).toMatchObject({ new_tokens: 24, divergence: null, model: 'miniature' });
  });

  it('finds passes of several tokens that go wrong', async () => {
    const restore = aroundPasses(engine, async ({ tokens, wanted }, run) => {
      const logits = await run();
      // A verification's first row: the token after the last one that was accepted.
      if (wanted === 'all' && tokens.length > 1) logits[7] = 1e3;
      return logits;
    });
    onTestFinished(restore);
    const records = await recordsOf();
    const wrong = records.filter(({ divergence }) => divergence?.kind === 'defect');
    expect(wrong.length).toBeGreaterThan(0);
    const { total } = summariseAudit(records);
    expect(total.defects).toBe(wrong.length);
  });

  it('add up to the total by everything that was varied', async () => {
    const records = await recordsOf();
    const { total, by } = summariseAudit(records);
    expect(total).toMatchObject({ comparisons: 9, tokens: 9 * 24, near_ties: 0, defects: 0 });
    expect(total.masks).toBe(new Set(records.flatMap(({ mask }) => mask ?? [])).size);
    for (const groups of Object.values(by)) {
      const tokens = Object.values(groups).map((count) => count.tokens);
      expect(tokens.reduce((a, b) => a + b)).toBe(total.tokens);
    }
    expect(Object.keys(by.draft_exit!)).toEqual(['adaptive', 'cost', 'fixed', 'none', 'threshold']);
  });
});
