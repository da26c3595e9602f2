import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listDatasets } from '../../src/datasets/list.js';
import { BUNDLED, loadDataset, NAMED, SPLITS } from '../../src/datasets/load.js';
import { InputError } from '../../src/errors.js';
import { file, jsonl } from './helpers.js';

const bench = new URL('../../../shared/bench/', import.meta.url).pathname;

describe('benchmark files', () => {
  it('reads our own form', () => {
    const path = jsonl(
      'mine.jsonl',
      { prompt: 'one {prompt}', id: 7, category: 'x', reference: 'two', other: [1] },
      { prompt: 'three' },
    );
    const { name, split, prompts } = loadDataset(path);
    expect({ name, split }).toEqual({ name: 'mine', split: null });
    expect(prompts).toEqual([
      {
        id: '7',
        dataset: 'mine',
        prompt: 'one {prompt}',
        stop: [],
        category: 'x',
        reference: 'two',
      },
      { id: 'mine-2', dataset: 'mine', prompt: 'three', stop: [] },
    ]);
  });

  it.each([
    [
      'HumanEval',
      { task_id: 'HumanEval/0', prompt: 'def f():\n', canonical_solution: '    pass\n', test: '' },
      { id: 'HumanEval/0', prompt: 'def f():\n', reference: '    pass\n' },
    ],
    [
      'MBPP',
      {
        text: 'Add.',
        code: 'x',
        task_id: 2,
        test_setup_code: '',
        test_list: ['assert a', 'assert b'],
      },
      {
        id: '2',
        prompt: '"""\nAdd.\nassert a\n"""\n',
        turns: ['Add.\nThe function must pass this test:\nassert a'],
        reference: 'x',
      },
    ],
    [
      'HumanEval+',
      {
        task_id: 'HumanEval/0',
        prompt: 'def f():\n',
        entry_point: 'f',
        canonical_solution: 'x',
        contract: '',
        base_input: [[1]],
        plus_input: [[2]],
        atol: 0,
      },
      { id: 'HumanEval/0', prompt: 'def f():\n', reference: 'x' },
    ],
    [
      "MBPP's sanitized part",
      {
        source_file: 'a',
        task_id: 2,
        prompt: 'Add.',
        code: 'x',
        test_imports: [],
        test_list: ['assert a'],
      },
      {
        id: '2',
        prompt: '"""\nAdd.\nassert a\n"""\n',
        turns: ['Add.\nThe function must pass this test:\nassert a'],
        reference: 'x',
      },
    ],
    [
      "MT-Bench under the Hub's names",
      { category: 'writing', prompt: ['Write.', 'Again.'], reference: [], prompt_id: 81 },
      {
        id: '81',
        category: 'writing',
        prompt: 'Write.',
        turns: ['Write.', 'Again.'],
        reference: '',
      },
    ],
    [
      'GSM8K',
      { question: 'How many {answer}?', answer: '1+1=2\n#### 2' },
      {
        id: 'b-1',
        prompt: 'Question: How many {answer}?\nAnswer:',
        turns: ['How many {answer}?'],
        reference: '1+1=2\n#### 2',
      },
    ],
    [
      'MT-Bench',
      {
        question_id: 81,
        category: 'writing',
        turns: ['Write.', 'Again.'],
        reference: ['r', ['s', 't']],
      },
      {
        id: '81',
        category: 'writing',
        prompt: 'Write.',
        turns: ['Write.', 'Again.'],
        reference: 'r\ns\nt',
      },
    ],
    [
      'XSum',
      { document: 'News.', summary: 'New.', id: '3' },
      {
        id: '3',
        prompt: 'Article: News.\nSummary:',
        turns: ['Sum up this article in one sentence.\n\nNews.'],
        reference: 'New.',
      },
    ],
    [
      'CNN/DailyMail',
      { article: 'News.', highlights: 'New.', id: 'ab' },
      {
        id: 'ab',
        prompt: 'Article: News.\nSummary:',
        turns: ['Sum up this article in a few sentences.\n\nNews.'],
        reference: 'New.',
      },
    ],
  ])('reads %s', (_, row, prompt) => {
    const { stop, dataset, ...rest } = loadDataset(jsonl('b.jsonl', row)).prompts[0];
    expect(rest).toEqual(prompt);
    expect(dataset).toBe('b');
    expect(stop.every((text) => text.startsWith('\n'))).toBe(true);
  });

  it('counts Spec-Bench by part, and a file of one part by its own name', () => {
    const row = (category: string, i: number) => ({ question_id: i, category, turns: ['a'] });
    const counted = (...categories: string[]) =>
      loadDataset(jsonl('s.jsonl', ...categories.map(row))).prompts.map(({ dataset }) => dataset);
    expect(counted('writing', 'qa', 'stem', 'rag')).toEqual([
      's:mt-bench',
      's:qa',
      's:mt-bench',
      's:rag',
    ]);
    expect(counted('writing', 'stem')).toEqual(['s', 's']);
    expect(counted('qa', 'qa')).toEqual(['s', 's']);
    // Only what a task file says so: the categories of our own form are the user's business.
    const own = jsonl('o.jsonl', { prompt: 'a', category: 'x' }, { prompt: 'b', category: 'y' });
    expect(loadDataset(own).prompts.map(({ dataset }) => dataset)).toEqual(['o', 'o']);
  });

  it("leaves a row's own prompt alone when it has a benchmark's fields too", () => {
    const path = jsonl('b.jsonl', { question: 'q', answer: 'a', prompt: 'mine' });
    expect(loadDataset(path).prompts[0].prompt).toBe('mine');
  });

  it.each([
    [
      [{ prompt: 'a' }, { text: 'b' }],
      /line 2: field "prompt" is missing \(the file is read as "prompt"\)/,
    ],
    [[{ prompt: 5 }], /line 1: field "prompt" must be a string/],
    [[{ prompt: ' \n' }], /line 1: field "prompt" must not be blank/],
    [
      [{ prompt: 'a', reference: {} }],
      /line 1: field "reference" must be a string, a number or a list of strings/,
    ],
    [[{ text: 'a', test_list: [] }], /field "test_list" must list strings, 1 or more/],
    [
      [{ question_id: 1, category: 'c', turns: ['a', 2] }],
      /field "turns" must be a list of strings/,
    ],
    [
      [{ toString: 'a', question: 'b' }],
      /line 1: no known set of fields; known are: .*gsm8k \(question, answer\)/,
    ],
    [
      [{ prompt: 'a', reference: [1] }],
      /field "reference" must be a string, a number or a list of strings/,
    ],
    [[], /has no prompts/],
  ])('refuses rows %j', (rows, message) => {
    const path = jsonl('b.jsonl', ...rows);
    expect(() => loadDataset(path)).toThrow(message);
    expect(() => loadDataset(path)).toThrow(InputError);
  });

  it('makes repeated ids unique', () => {
    const ids = ['x', 'x', 'x#3', 'x', 'y', 'x#2', 'x'];
    const path = jsonl('b.jsonl', ...ids.map((id) => ({ prompt: 'a', id })));
    expect(loadDataset(path).prompts.map(({ id }) => id)).toEqual([
      'x',
      'x#2',
      'x#3',
      'x#4',
      'y',
      'x#2#2',
      'x#5',
    ]);
  });

  it('changes its hash with any byte of the file', () => {
    const hash = (text: string) => loadDataset(file('a.jsonl', text)).hash;
    expect(hash('{"prompt":"a"}\n')).toBe(hash('{"prompt":"a"}\n'));
    expect(hash('{"prompt":"a"}\n')).not.toBe(hash('{"prompt":"a"}'));
  });

  it('throws nothing but InputError, whatever the lines are', () => {
    const name = fc.constantFrom(
      'prompt',
      'id',
      'task_id',
      'text',
      'test_list',
      'turns',
      'category',
      'question',
      'answer',
      'question_id',
      'document',
      'summary',
      'reference',
      '__proto__',
    );
    const row = fc.dictionary(fc.oneof(name, fc.string()), fc.jsonValue(), {
      noNullPrototype: true,
    });
    const line = fc.oneof(
      fc
        .array(fc.tuple(name, fc.oneof(fc.string(), fc.array(fc.string()), fc.jsonValue())))
        .map((pairs) => JSON.stringify(Object.fromEntries(pairs))),
      row.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const path = file('any.jsonl', lines.join('\n'));
        try {
          for (const { prompt, id } of loadDataset(path).prompts) {
            expect(typeof prompt).toBe('string');
            expect(typeof id).toBe('string');
          }
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect(String(error)).toContain(path);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.skipIf(!existsSync(bench)).each([
    ['humaneval_100.jsonl', 100, 'HumanEval/0'],
    ['mbpp_100.jsonl', 100, '14'],
    ['spec_bench.jsonl', 480, '81'],
    ['story_prompts_60.jsonl', 60, 'ae400e1b'],
  ])('reads the real %s (skipped without ../shared/bench)', (name, count, first) => {
    const { prompts } = loadDataset(join(bench, name));
    expect(prompts).toHaveLength(count);
    expect(prompts[0].id).toBe(first);
    const whole = basename(name, '.jsonl');
    expect(prompts.every(({ dataset }) => dataset.split(':')[0] === whole)).toBe(true);
  });

  it.skipIf(!existsSync(bench))(
    'has the six parts and two turns of the real Spec-Bench (skipped without ../shared/bench)',
    () => {
      const { prompts } = loadDataset(join(bench, 'spec_bench.jsonl'));
      const counts = new Map<string, number>();
      for (const { dataset } of prompts) counts.set(dataset, (counts.get(dataset) ?? 0) + 1);
      const parts = ['mt-bench', 'translation', 'summarization', 'qa', 'math_reasoning', 'rag'];
      expect([...counts]).toEqual(parts.map((part) => [`spec_bench:${part}`, 80]));
      for (const { dataset, turns } of prompts)
        expect(turns).toHaveLength(dataset.endsWith(':mt-bench') ? 2 : 1);
    },
  );
});

describe('references', () => {
  it('gives the held-out split of a bundled name unless another is asked for', () => {
    expect(loadDataset('stories').prompts[0].id).toBe('stories-h01');
    expect(loadDataset('stories', { split: 'calibration' }).prompts[0].id).toBe('stories-c01');
    expect(loadDataset('stories:calibration', { split: 'heldout' }).split).toBe('calibration');
    expect(loadDataset('stories:calibration').hash).not.toBe(loadDataset('stories:heldout').hash);
  });

  it.each(SPLITS)('interleaves the %s prompts of all kinds', (split) => {
    const { prompts, name } = loadDataset(split);
    expect(name).toBe(split);
    expect(prompts.slice(0, 8).map(({ dataset }) => dataset)).toEqual([...BUNDLED, ...BUNDLED]);
    const members = BUNDLED.flatMap((kind) => loadDataset(kind, { split }).prompts);
    expect(new Set(prompts.map(({ id }) => id))).toEqual(new Set(members.map(({ id }) => id)));
    expect(prompts).toHaveLength(members.length);
  });

  it('says what there is when a name is unknown', () => {
    expect(() => loadDataset('storys')).toThrow(
      /no dataset or file "storys".*stories, help, code, math/,
    );
    expect(() => loadDataset('stories:train')).toThrow(
      /"train" is no split; use calibration or heldout/,
    );
  });

  it('lists what loadDataset loads', () => {
    const list = listDatasets();
    expect(list.map(({ name }) => name)).toEqual([...NAMED, ...SPLITS]);
    for (const { name, splits } of list)
      for (const { split, prompts, hash } of splits) {
        const dataset = loadDataset(name, { split });
        expect({ prompts, hash }).toEqual({ prompts: dataset.prompts.length, hash: dataset.hash });
      }
  });
});
