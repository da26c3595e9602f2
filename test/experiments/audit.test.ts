import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AuditedModel, compareOutputs, runCase } from '../../experiments/lib/audit-case.js';
import {
  type AuditHeader,
  openAuditJournal,
  type UnitRecord,
} from '../../experiments/lib/audit-journal.js';
import { planCase } from '../../experiments/lib/audit-plan.js';
import { summariseAudit } from '../../experiments/lib/audit-summary.js';
import { complete } from '../../src/decoding/generate.js';
import { InputError } from '../../src/errors.js';
import { loadSmallEngine, PROMPTS } from '../evaluation/example.js';
import { temporaryDirectory } from '../helpers/temporary.js';

let model: AuditedModel;
beforeAll(async () => {
  const engine = await loadSmallEngine();
  const cache = engine.createCache(engine.config.contextLength);
  model = { name: 'miniature', engine, cache, exact: true };
});
afterAll(() => model.engine.close());
afterEach(() => vi.restoreAllMocks());

const sources = [{ name: 'letters', prompts: PROMPTS.map(({ id, tokens }) => ({ id, tokens })) }];
const planned = (contextLength = 96) => ({ layers: 4, contextLength, sources });
const case0 = () => ({ ...planCase(0, 0, planned()), maxNewTokens: 24, ignoreEos: true });

async function recordsOf(plan = case0(), done: ReadonlySet<string> = new Set()) {
  const records: UnitRecord[] = [];
  for await (const record of runCase(model, plan, done)) records.push(record);
  return records;
}

describe('the plan of the audit', () => {
  const cases = Array.from({ length: 60 }, (_, i) => planCase(0, i, planned(512)));
  const methods = cases.flatMap(({ units }) => units.map(({ method }) => method));

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
    const skipped = drafts.map(({ mask }) => mask.attention.length + mask.mlp.length);
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
    expect(records.map(({ unit }) => unit)).toEqual(case0().units.map(({ id }) => id));
    for (const record of records)
      expect(record).toMatchObject({ new_tokens: 24, divergence: null, model: 'miniature' });
  });

  it('leaves out what is done', async () => {
    const records = await recordsOf(
      case0(),
      new Set(
        case0()
          .units.slice(2)
          .map(({ id }) => id),
      ),
    );
    expect(records.map(({ unit }) => unit)).toEqual(['0.0', '0.1']);
  });

  it('finds a token that was changed, where it stands', async () => {
    const plan = case0();
    const plain = await complete(model.engine, plan);
    const tokens = plain.tokens.map((token, i) => (i === 5 ? (token + 1) % 256 : token));
    const own = { ...plain, tokens };
    const { divergence } = await compareOutputs(model, plan, plan.units[0]!, plain, own);
    expect(divergence).toMatchObject({ position: 5, kind: 'defect' });
    expect(Math.abs(divergence!.margin!)).toBeGreaterThan(0);
  });

  it('finds an output that ends too early', async () => {
    const plan = case0();
    const plain = await complete(model.engine, plan);
    const own = { ...plain, tokens: plain.tokens.slice(0, 20) };
    const { divergence } = await compareOutputs(model, plan, plan.units[0]!, plain, own);
    expect(divergence).toEqual({ position: 20, margin: null, kind: 'defect' });
  });

  it('finds passes of several tokens that go wrong', async () => {
    const { engine } = model;
    const forward = engine.forward.bind(engine);
    vi.spyOn(engine, 'forward').mockImplementation(
      async (cache, tokens, position, gates, wanted) => {
        const logits = await forward(cache, tokens, position, gates, wanted);
        // A verification's first row: the token after the last one that was accepted.
        if (wanted === 'all' && tokens.length > 1) logits[7] = 1e3;
        return logits;
      },
    );
    const records = await recordsOf();
    const wrong = records.filter(({ divergence }) => divergence?.kind === 'defect');
    expect(wrong.length).toBeGreaterThan(0);
    const { total } = summariseAudit(records);
    expect(total.defects).toBe(wrong.length);
  });
});

describe('the journal and the counts', () => {
  const header: AuditHeader = {
    ...{ journal: 'sspec-audit', version: 2, seed: 0, models: {}, datasets: {} },
    ...{ cpu: 'Some CPU', onnxruntime: '1', sspec: '0' },
  };

  it('keep every record over an end in the middle of a line', async () => {
    const path = join(temporaryDirectory(), 'audit.jsonl');
    const records = await recordsOf();
    const first = openAuditJournal(path, header);
    for (const record of records.slice(0, 4)) first.append(record);
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, JSON.stringify(records[4]).slice(0, 40));
    const again = openAuditJournal(path, header);
    expect(readFileSync(path, 'utf8')).toBe(whole);
    expect(again.records).toEqual(records.slice(0, 4));
    again.append(records[4]!);
    expect(openAuditJournal(path, header).records).toEqual(records.slice(0, 5));
  });

  it('refuse the journal of another audit, and a damaged one', () => {
    const path = join(temporaryDirectory(), 'audit.jsonl');
    openAuditJournal(path, header);
    expect(() => openAuditJournal(path, { ...header, cpu: 'Another' })).toThrow(/"cpu"/);
    writeFileSync(path, `${JSON.stringify(header)}\n{"unit":"0"}\n`);
    expect(() => openAuditJournal(path, header)).toThrow(InputError);
    expect(() => openAuditJournal(path, header)).toThrow(/line 2/);
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
