import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { compareEvaluations } from '../../src/evaluation/compare.js';
import type { ComparedEvaluation } from '../../src/evaluation/compared-file.js';
import type { RecordedEvaluation } from '../../src/evaluation/results-file.js';
import type { RecordedTiming } from '../../src/evaluation/samples-file.js';
import { exampleProfile } from '../profile/example.js';
import { evaluation } from '../reporting/report/example.js';

const PLAIN: RecordedTiming = {
  dataset: 'code',
  prompt: 'c-1',
  prompt_text: 'def f(x):',
  turn: 1,
  method: 'autoregressive',
  profile: null,
  repetition: 0,
  new_tokens: 11,
  decode_seconds: 1,
};
const SKIP = { method: 'skip', profile: 'profiles/code.json' };

type Changes = (timing: RecordedTiming, at: number) => Partial<RecordedTiming>;

/** Eight prompts of 11 tokens; autoregressive decoding takes a second and skipping half of one, unless `changes` say otherwise. */
function timings(changes: Changes = () => ({}), prompts = 8): RecordedTiming[] {
  return Array.from({ length: prompts }, (_, i) => {
    const plain = { ...PLAIN, prompt: `c-${i}`, prompt_text: `text ${i}` };
    return [plain, { ...plain, ...SKIP, decode_seconds: 0.5 }].map((one) => ({
      ...one,
      ...changes(one, i),
    }));
  }).flat();
}

const side = (
  path: string,
  own: readonly RecordedTiming[] | null,
  changes: Partial<RecordedEvaluation> = {},
): ComparedEvaluation => ({ path, evaluation: { ...evaluation, ...changes }, timings: own });

const isSkip = ({ method }: RecordedTiming) => method === 'skip';

describe('what two evaluations have in common', () => {
  it('is compared in tokens per second and in speedup, second over first', () => {
    // The second machine is twice as fast, its skipping gains 4 instead of 2.
    const faster = timings((one) => ({ decode_seconds: isSkip(one) ? 0.125 : 0.5 }));
    const { rows, differences, notes } = compareEvaluations(
      side('a', timings()),
      side('b', faster),
    );
    expect(rows.map(({ first, prompts }) => [first.method, prompts])).toEqual([
      ['autoregressive', 8],
      ['skip', 8],
    ]);
    const [plain, skip] = rows;
    expect(plain).toMatchObject({
      speedup: null,
      tokens_per_second: { first: 10, second: 20, ratio: 2, ratio_ci95: [2, 2], verdict: 'faster' },
    });
    expect(skip).toMatchObject({
      different_lengths: 0,
      tokens_per_second: { first: 20, second: 80, ratio: 4, verdict: 'faster' },
      speedup: { first: 2, second: 4, ratio: 2, ratio_ci95: [2, 2], verdict: 'faster' },
    });
    expect(differences).toEqual([]);
    expect(notes).toEqual([]);
  });

  it('is the mean of repetitions, however many each side has', () => {
    const twice = [
      ...timings(),
      ...timings((one) => ({ repetition: 1, decode_seconds: isSkip(one) ? 1 : 2 })),
    ];
    const { rows } = compareEvaluations(side('a', twice), side('b', timings()));
    expect(rows[1]!.tokens_per_second).toMatchObject({ first: 10 / 0.75, second: 20, ratio: 1.5 });
    expect(rows[1]!.speedup).toMatchObject({ first: 2, second: 2, ratio: 1 });
  });

  it('has neither interval nor verdict of fewer than five prompts', () => {
    const few = timings(() => ({}), 4);
    const { rows, notes } = compareEvaluations(side('a', timings()), side('b', few));
    expect(rows[1]).toMatchObject({
      prompts: 4,
      speedup: { ratio: 1, ratio_ci95: null, verdict: 'too few' },
    });
    expect(notes).toEqual([expect.stringMatching(/^4 prompts are in common, of 8 .* and 4 /)]);
  });

  it('leaves out what ended with its first token, and counts outputs of other lengths', () => {
    const other = timings((one, i) =>
      i === 0 && isSkip(one)
        ? { new_tokens: 1, decode_seconds: 0 }
        : { new_tokens: i < 3 ? 21 : 11 },
    );
    const { rows } = compareEvaluations(side('a', timings()), side('b', other));
    expect(rows.map(({ prompts }) => prompts)).toEqual([8, 7]);
    expect(rows.map(({ different_lengths }) => different_lengths)).toEqual([3, 2]);
  });

  it('is summed over datasets; turns of a conversation and cells of a grid are one prompt', () => {
    const conversation: Changes = (_, i) =>
      i < 2 ? { prompt: i === 0 ? 'c-0' : 'c-0/turn-2', turn: i + 1 } : { dataset: 'math' };
    const two = timings(conversation);
    const { rows } = compareEvaluations(side('a', two), side('b', two));
    expect(rows.map(({ dataset, prompts }) => [dataset, prompts])).toEqual([
      ...[1, 1].map((n) => ['code', n]),
      ...[6, 6].map((n) => ['math', n]),
      ...[7, 7].map((n) => ['all', n]),
    ]);
    const cells = [8, 16].flatMap((n) => timings(() => ({ dataset: `code:64+${n}` })));
    const settings = { ...evaluation.settings, grid: { prompt_tokens: [64], max_new_tokens: [8] } };
    const grid = (path: string) => side(path, cells, { settings });
    const pooled = compareEvaluations(grid('a'), grid('b')).rows.at(-1);
    expect(pooled).toMatchObject({ dataset: 'all', prompts: 8 });
  });

  it('is by rows alone, without intervals, where one has no samples', () => {
    const rows = evaluation.rows.map((row) => ({ ...row, speedup: row.speedup! * 2 }));
    const { rows: told, notes } = compareEvaluations(
      side('a', timings()),
      side('b', null, { rows }),
    );
    expect(told[1]).toMatchObject({
      dataset: 'code',
      prompts: null,
      speedup: { first: 0.8, second: 1.6, ratio: 2, ratio_ci95: null, verdict: null },
    });
    expect(told).toHaveLength(2);
    expect(notes).toEqual([expect.stringMatching(/no samples\.jsonl for b\.$/)]);
  });
});

describe('prompts', () => {
  const [data] = evaluation.datasets;
  const otherData = { datasets: [{ ...data!, hash: 'def' }] };
  const otherTexts = timings(({ prompt_text }, i) => ({
    prompt_text: i < 6 ? `<chat>${prompt_text}` : prompt_text,
  }));

  it('of one file are the same however they are put; of another they must have the same text', () => {
    const chat = compareEvaluations(side('a', timings()), side('b', otherTexts));
    expect(chat.rows[0]!.prompts).toBe(8);
    expect(chat.notes).toEqual([expect.stringMatching(/^6 of the prompts .* different texts\.$/)]);
    const other = compareEvaluations(side('a', timings()), side('b', otherTexts, otherData));
    expect(other.rows[0]!.prompts).toBe(2);
    expect(other.differences.map(({ what }) => what)).toEqual(['content of code']);
  });

  it.each([
    ['ids', timings((_, i) => ({ prompt: `x-${i}` })), {}],
    ['datasets', timings(() => ({ dataset: 'math' })), {}],
    ['texts', timings(() => ({ prompt_text: 'other' })), otherData],
    ['files, without samples', null, otherData],
  ])('of other %s are refused', (_, own, changes) => {
    const compare = () => compareEvaluations(side('a', timings()), side('b', own, changes));
    expect(compare).toThrow(InputError);
    expect(compare).toThrow(/^a and b have no prompt in common/);
  });
});

describe('methods', () => {
  const [plain, skip] = evaluation.rows;
  const withRows = (...rows: RecordedEvaluation['rows']) => ({ rows });
  const renamed = timings((one) => (isSkip(one) ? { profile: 'new.json' } : {}));
  const newRow = { ...skip!, profile: 'new.json' };

  it('have the only profile of each side, or the same', () => {
    const alone = compareEvaluations(
      side('a', timings()),
      side('b', renamed, withRows(plain!, newRow)),
    );
    expect(alone.rows[1]).toMatchObject({ first: SKIP, second: { profile: 'new.json' } });
    const several = side('b', [...timings(), ...renamed], withRows(plain!, newRow, skip!));
    const same = compareEvaluations(side('a', timings()), several);
    expect(same.rows[1]).toMatchObject({ first: SKIP, second: SKIP });
    expect(same.notes).toEqual([expect.stringContaining('of the second: skip:new.json;')]);
  });

  it('are those asked for: of both, or one of each, by their profile where there are several', () => {
    const both = side('b', [...timings(), ...renamed], withRows(plain!, newRow, skip!));
    const methods = (...asked: string[]) =>
      compareEvaluations(both, both, asked).rows.map(({ first, second }) => [
        first.profile ?? first.method,
        second.profile ?? second.method,
      ]);
    expect(methods('autoregressive')).toEqual([['autoregressive', 'autoregressive']]);
    expect(methods('skip:code.json', 'skip:new.json')).toEqual([[SKIP.profile, 'new.json']]);
    expect(methods('autoregressive', 'skip:profiles/code.json')).toEqual([
      ['autoregressive', SKIP.profile],
    ]);
    expect(() => methods('skip')).toThrow(/several profiles; name one of skip:new.json, skip:/);
    expect(() => methods('cascade')).toThrow(/b has no such method; it has autoregressive, /);
    expect(() => methods('skip', 'skip', 'skip')).toThrow(/--method has 3 names/);
  });
});

it('tells model, precision, machine, settings, profiles, an interruption and a busy machine', () => {
  const { environment, settings } = evaluation;
  const second = side('b', timings(), {
    model: 'other',
    precision: 'fp32',
    partial: true,
    environment: { ...environment, cpu: 'Other CPU', model_hash: '4567', others_cpu_share: 0.5 },
    settings: { ...settings, temperature: 0.7 },
    profiles: [{ file: SKIP.profile, profile: { ...exampleProfile, skip_mlp: [0] } }],
  });
  const { differences, notes } = compareEvaluations(side('a', timings()), second);
  expect(differences).toEqual([
    { what: 'model', first: 'demo', second: 'other' },
    { what: 'precision', first: 'int8', second: 'fp32' },
    { what: 'cpu', first: 'Some CPU', second: 'Other CPU' },
    { what: 'temperature', first: '0', second: '0.7' },
  ]);
  expect(notes).toEqual([
    'profiles/code.json was not the same profile in both.',
    'b was stopped before its end.',
    'The machine was busy during b: other processes used 50% of the CPU.',
  ]);
  // Another path of the same weights is no other model; other weights under one name are.
  const weights = (model: string, model_hash: string) =>
    compareEvaluations(
      side('a', timings()),
      side('b', timings(), { model, environment: { ...environment, model_hash } }),
    ).differences.map(({ what }) => what);
  expect(weights('./demo', '0123')).toEqual([]);
  expect(weights('demo', '4567')).toEqual(['weights']);
});
