import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { emptyStatistics } from '../../src/decoding/statistics.js';
import type { Engine } from '../../src/engine/engine.js';
import { findDivergences, NEAR_TIE_MARGIN } from '../../src/evaluation/divergence.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import {
  BASELINE,
  type EvaluationResult,
  type NamedMethod,
  type Sample,
} from '../../src/evaluation/run.js';
import { summarise } from '../../src/evaluation/summary.js';
import { loadMiniature } from '../helpers/engine.js';
import { LOOKUP, loadSmallEngine, PROMPTS, REQUEST, SKIP } from './example.js';

// What this machine is found to be; the self-check itself has tests of its own.
const machine = vi.hoisted(() => ({ exact: true }));
vi.mock('../../src/engine/self-check.js', () => ({ selfCheck: async () => machine }));

let engine: Engine;
let result: EvaluationResult;
beforeAll(async () => {
  engine = await loadSmallEngine();
  result = await evaluate({ engine, tokenizer: null }, REQUEST);
});
afterAll(() => engine.close());

/** The result with other samples in place of some. */
function replaced(change: (sample: Sample) => Partial<Sample> | undefined): EvaluationResult {
  return { ...result, samples: result.samples.map((s) => ({ ...s, ...change(s) })) };
}

describe('rows of a real run', () => {
  test('stand for datasets and methods, then for all datasets together', async () => {
    const rows = summarise(result, await findDivergences(engine, result));
    expect(rows.map((row) => `${row.dataset} ${row.method} ${row.profile}`)).toEqual(
      ['a', 'b', 'all'].flatMap((dataset) => [
        `${dataset} autoregressive null`,
        `${dataset} skip folder/best.json`,
        `${dataset} lookup null`,
      ]),
    );
  });

  test('add up', () => {
    const rows = summarise(result, []);
    const sums = [
      'prompts',
      'new_tokens',
      'target_passes',
      'draft_passes',
      'proposed_tokens',
      'accepted_tokens',
      'prefill_seconds',
      'decode_seconds',
    ] as const;
    for (const method of ['autoregressive', 'skip', 'lookup']) {
      const [a, b, all] = rows.filter((row) => row.method === method);
      for (const key of sums) expect(a![key] + b![key], key).toBeCloseTo(all![key], 9);
      for (const row of [a!, b!, all!]) {
        const decoded = row.new_tokens - row.prompts;
        expect(row.new_tokens).toBe(20 * row.prompts);
        expect(row.tokens_per_second).toBeCloseTo(decoded / row.decode_seconds, 6);
        expect(row.mean_acceptance_length).toBeCloseTo(decoded / row.target_passes, 12);
        // Every target pass emits a token of its own.
        expect(row.accepted_tokens + row.target_passes).toBe(decoded);
        expect(row.draft_share! + row.verify_share! + row.overhead_share!).toBeCloseTo(1, 9);
        expect(row.overhead_share).toBeGreaterThanOrEqual(-1e-9);
        expect(row.identical_outputs).toBe(true);
        expect(row.peak_memory_bytes).toBeGreaterThan(1e6);
        expect(row.repetition_speedups).toHaveLength(REQUEST.repetitions);
        // A repetition's rate is that of its own samples; the row's is their harmonic mean, each having as many tokens.
        const rates = row.repetition_tokens_per_second.map((rate) => rate!);
        const harmonic = rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0);
        expect(row.tokens_per_second).toBeCloseTo(harmonic, 6);
        const plainRow = rows.find((r) => r.dataset === row.dataset)!;
        row.repetition_speedups.forEach((speedup, r) => {
          expect(speedup).toBeCloseTo(rates[r]! / plainRow.repetition_tokens_per_second[r]!, 9);
        });
      }
    }
  });

  test('have the figures of the method', () => {
    const [plain, skip, lookup] = summarise(result, []).filter((row) => row.dataset === 'all');
    expect(plain).toMatchObject({
      speedup: 1,
      speedup_ci95: [1, 1],
      verdict: 'baseline',
      draft_acceptance_rate: null,
      mean_acceptance_length: 1,
      draft_passes: 0,
      c: null,
      conditional_acceptance: [],
    });
    expect(skip!.draft_passes).toBe(skip!.proposed_tokens);
    expect(skip!.accepted_tokens).toBeGreaterThan(0);
    expect(skip!.draft_acceptance_rate).toBe(skip!.accepted_tokens / skip!.proposed_tokens);
    expect(skip!.conditional_acceptance.length).toBe(4);
    expect(skip!.c).toBeGreaterThan(0);
    expect(skip!.speedup_ci95![0]).toBeLessThanOrEqual(skip!.speedup!);
    expect(skip!.speedup_ci95![1]).toBeGreaterThanOrEqual(skip!.speedup!);
    expect(lookup!.draft_passes).toBe(0);
    expect(lookup!.c).toBeNull();
  });

  test('have no pooled row for a single dataset', async () => {
    const prompts = PROMPTS.slice(0, 1);
    const one = await evaluate({ engine, tokenizer: null }, { ...REQUEST, prompts });
    expect(summarise(one, []).map((row) => row.dataset)).toEqual(['a', 'a', 'a']);
  });

  test('have no speedup where every output ends with its first token', async () => {
    const short = await evaluate({ engine, tokenizer: null }, { ...REQUEST, maxNewTokens: 1 });
    const row = summarise(short, [])[1]!;
    expect(row).toMatchObject({
      new_tokens: 2,
      speedup: null,
      verdict: null,
      tokens_per_second: null,
      mean_acceptance_length: null,
    });
  });
});

describe('speedup', () => {
  /** Sixty prompts in two datasets on which `method` takes `seconds(i)` and the baseline a second. */
  function timed(method: NamedMethod, seconds: (prompt: number) => number): EvaluationResult {
    const prompts = Array.from({ length: 60 }, (_, i) => ({
      id: `p${i}`,
      dataset: i < 30 ? 'a' : 'b',
      tokens: [1],
    }));
    const sample = (prompt: number, own: NamedMethod, decodeSeconds: number): Sample => ({
      ...result.samples[0]!,
      prompt: prompts[prompt]!,
      method: own,
      repetition: 0,
      statistics: { ...emptyStatistics(), newTokens: 11, decodeSeconds },
    });
    const samples = prompts.flatMap((_, i) => [
      sample(i, BASELINE, 1),
      sample(i, method, seconds(i)),
    ]);
    const settings = { ...result.settings, repetitions: 1 };
    return { settings, prompts, methods: [BASELINE, method], samples };
  }

  test('is the ratio of summed decode times, with a verdict', () => {
    const rows = summarise(
      timed(SKIP, (i) => (i < 30 ? 0.5 : 1 + 0.2 * ((i % 2) - 0.5))),
      [],
    ).filter((row) => row.method === 'skip');
    expect(rows.map((row) => row.speedup!.toFixed(3))).toEqual(['2.000', '1.000', '1.333']);
    expect(rows.map((row) => row.verdict)).toEqual([
      'faster',
      'not distinguishable from 1.0x',
      'faster',
    ]);
  });

  test('counts the turns of a conversation as one cluster', () => {
    const whole = timed(SKIP, (i) => 0.6 + 0.4 * (i % 2));
    // The second half becomes second turns that cost exactly what the first did: nothing new is learnt from them.
    const [first, second] = [whole.prompts.slice(0, 30), whole.prompts.slice(30)];
    const turn = (id: string, n: number) => ({
      id,
      turns: ['', ''],
      turn: n,
      form: { chat: false } as const,
    });
    const asTurns = new Map([
      ...first.map((p) => [p, { ...p, conversation: turn(p.id, 1) }] as const),
      ...second.map(
        (p, i) => [p, { ...p, dataset: 'a', conversation: turn(first[i]!.id, 2) }] as const,
      ),
    ]);
    const [alone, separate, joined] = [
      { ...whole, prompts: first },
      { ...whole, prompts: second },
      {
        ...whole,
        prompts: [...asTurns.values()],
        samples: whole.samples.map((s) => ({ ...s, prompt: asTurns.get(s.prompt)! })),
      },
    ].map((r) => summarise(r, [])[1]!);
    expect(separate!.speedup).toBeCloseTo(alone!.speedup!, 9);
    expect(joined!.prompts).toBe(60);
    expect(joined!.new_tokens).toBe(2 * alone!.new_tokens);
    expect(joined!.speedup).toBeCloseTo(alone!.speedup!, 9);
    for (const end of [0, 1] as const)
      expect(joined!.speedup_ci95![end]).toBeCloseTo(alone!.speedup_ci95![end], 9);
  });

  test('of all datasets has an interval that their difference does not widen', () => {
    const apart = timed(SKIP, (i) => (i < 30 ? 0.5 : 1));
    const pooled = summarise(apart, []).at(-1)!;
    expect(pooled.dataset).toBe('all');
    expect(pooled.speedup).toBeCloseTo(60 / 45, 9);
    for (const end of pooled.speedup_ci95!) expect(end).toBeCloseTo(60 / 45, 9);
  });

  test('is judged more strictly the more rows there are', () => {
    // A gain that is just clear in the first dataset, and a second one without any.
    const edge = timed(SKIP, (i) => (i < 30 ? [0.9, 1.04][i % 2]! : [0.5, 1.5][i % 2]!));
    const alone = { ...edge, prompts: edge.prompts.slice(0, 30) };
    const [, single] = summarise(alone, []);
    const [, corrected] = summarise(edge, []);
    expect(corrected!.speedup_ci95).toEqual(single!.speedup_ci95);
    expect(single!.verdict).toBe('faster');
    expect(corrected!.verdict).toBe('not distinguishable from 1.0x');
  });
});

describe('divergences', () => {
  const at = (prompt: number, method: NamedMethod) => (sample: Sample) =>
    sample.prompt === PROMPTS[prompt] && sample.method === method;

  test('are found with position, margin and kind, and told once for equal repetitions', async () => {
    const isChanged = at(1, SKIP);
    const changed = replaced((sample) => {
      if (!isChanged(sample)) return undefined;
      return { tokens: sample.tokens.map((token, i) => (i >= 7 ? (token + 1) % 256 : token)) };
    });
    const found = await findDivergences(engine, changed);
    const rows = summarise(changed, found);
    const [divergence, ...others] = rows.flatMap((row) =>
      row.dataset === 'a' ? row.divergences : [],
    );
    expect(others).toEqual([]);
    expect(divergence).toMatchObject({ prompt: 'a-2', position: 7, kind: 'defect' });
    // The margin is that of the logits after the prompt and the seven tokens before.
    const plain = await complete(engine, { prompt: PROMPTS[1].tokens, maxNewTokens: 8 });
    const sequence = [...PROMPTS[1].tokens, ...plain.tokens.slice(0, 7)];
    const logits = await engine.prefill(engine.createCache(64), sequence);
    const token = plain.tokens[7]!;
    expect(divergence!.margin).toBe(logits[token]! - logits[(token + 1) % 256]!);
    expect(divergence!.margin).toBeGreaterThan(0);
    expect(rows.filter((row) => row.identical_outputs === false).map((r) => r.dataset)).toEqual([
      'a',
      'all',
    ]);
  });

  test('within the margin that rounding can account for are near-ties where passes differ in bits', async () => {
    const int8 = await loadMiniature({ seed: 3, innerScale: 0.1 }, 'int8');
    const request = { ...REQUEST, prompts: PROMPTS.slice(1, 2), methods: [LOOKUP], repetitions: 1 };
    const run = await evaluate({ engine: int8, tokenizer: null }, request);
    const { tokens } = run.samples[0]!;
    const kinds = new Set<string>();
    for (const [position, token] of tokens.entries()) {
      const sequence = [...PROMPTS[1].tokens, ...tokens.slice(0, position)];
      const logits = await int8.prefill(int8.createCache(64), sequence);
      // The runner-up: the token that rounding would be most likely to put in the winner's place.
      const other = [...logits.keys()]
        .filter((id) => id !== token)
        .reduce((best, id) => (logits[id]! > logits[best]! ? id : best));
      const changed = {
        ...run,
        samples: run.samples.map((sample) =>
          sample.method === LOOKUP ? { ...sample, tokens: tokens.with(position, other) } : sample,
        ),
      };
      machine.exact = true;
      const [exact] = await findDivergences(int8, changed);
      expect(exact!.kind).toBe('defect');
      machine.exact = false;
      const [divergence] = await findDivergences(int8, changed);
      const margin = logits[token]! - logits[other]!;
      expect(divergence).toMatchObject({ position, margin });
      expect(divergence!.kind).toBe(margin <= NEAR_TIE_MARGIN.int8 ? 'near-tie' : 'defect');
      kinds.add(divergence!.kind);
    }
    expect([...kinds].sort()).toEqual(['defect', 'near-tie']);
    await int8.close();
  });

  test('in a later autoregressive repetition are found as well', async () => {
    const changed = replaced((sample) =>
      sample.method.name === 'autoregressive' && sample.repetition === 1
        ? { tokens: sample.tokens.slice(0, 5) }
        : undefined,
    );
    const found = await findDivergences(engine, changed);
    expect(
      found.map(({ sample, position, margin, kind }) => [sample.prompt.id, position, margin, kind]),
    ).toEqual(PROMPTS.map(({ id }) => [id, 5, null, 'defect']));
  });

  test('with sampling have the margin of what the noise makes of the logits', async () => {
    const sampling = { ...GREEDY, temperature: 2, seed: 11 };
    const request = { ...REQUEST, sampling, methods: [LOOKUP], repetitions: 1, maxNewTokens: 4 };
    const sampled = await evaluate({ engine, tokenizer: null }, request);
    // Every eighth token of the vocabulary in place of the last one.
    const variants = sampled.samples.flatMap((sample) =>
      sample.method === LOOKUP
        ? Array.from({ length: 31 }, (_, i) => ({
            ...sample,
            tokens: sample.tokens.with(3, (sample.tokens[3]! + 8 * (i + 1)) % 256),
          }))
        : [sample],
    );
    const found = await findDivergences(engine, { ...sampled, samples: variants });
    expect(found.length).toBe(31 * PROMPTS.length);
    // The baseline's token won: none is ahead of it.
    for (const { margin } of found) expect(margin).toBeGreaterThan(0);
  });

  test('are not looked for with maximal coupling, which keeps only the distribution', async () => {
    const sampling = { ...GREEDY, temperature: 0.9, seed: 11 };
    const request = { ...REQUEST, sampling, coupling: 'maximal' as const };
    const sampled = await evaluate({ engine, tokenizer: null }, request);
    const rows = summarise(sampled, await findDivergences(engine, sampled));
    expect(
      rows.every((row) => row.identical_outputs === null && row.divergences.length === 0),
    ).toBe(true);
    expect(rows.at(-1)!.speedup).toBeGreaterThan(0);
  });
});
