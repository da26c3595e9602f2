import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset } from '../../../../src/datasets/load.js';
import type { Door } from '../door.js';
import { NAMES, pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { mutatePieces } from '../mutate-text.js';
import { textOf } from './seeds.js';

/** A row of each form that is known, as the benchmarks have it. */
const ROWS: readonly Json[] = [
  { prompt: 'one {prompt}', id: 7, category: 'x', reference: 'two', other: [1] },
  { task_id: 'HumanEval/0', prompt: 'def f():\n', canonical_solution: ' pass\n', test: '' },
  { text: 'Add.', code: 'x', task_id: 2, test_setup_code: '', test_list: ['assert a'] },
  { question: 'How many?', answer: 'Two. #### 2' },
  { question_id: 81, category: 'writing', turns: ['Write.', 'Again.'], reference: ['a'] },
  { question_id: 82, category: 'summarization', turns: ['Sum up.'] },
  { article: 'It rained.', highlights: 'Rain.', id: 'ab' },
  { document: 'It rained.', summary: 'Rain.', id: '1' },
  { instruction: 'Sort.', input: '3 1 2', output: '1 2 3' },
  {
    conversations: [
      { from: 'system', value: 'Be.' },
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Ho' },
    ],
  },
  {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Ho' },
    ],
  },
];

const CSV = [
  'prompt,id,reference\n',
  '"one, two",1,x\n',
  '"a ""quoted""\nline",2,\n',
  'three,3,y\n',
];

/** Files of prompts: JSON lines, CSV and text. */
export function datasetDoor(): Door {
  const bundled = textOf('datasets', 'stories', 'calibration.jsonl')
    .split(/(?<=\n)/)
    .slice(0, 8);
  const others = [
    ...CSV,
    ...NAMES,
    ...bundled,
    '\n',
    '"',
    '""',
    ',',
    '\r\n',
    '\ufeff',
    '[',
    'PAR1',
  ];
  return {
    name: 'dataset',
    make(random) {
      const kind = random.integer(6);
      if (kind === 0) {
        const csv = mutatePieces(random, CSV.join('').split(/(?<=[,"\n])/), others).join('');
        return {
          'rows.csv':
            random.integer(2) === 0 ? csv : mutateBytes(random, Buffer.from(csv), Buffer.from(csv)),
        };
      }
      if (kind === 1) {
        const text = bundled.join('');
        return { 'rows.txt': mutateBytes(random, Buffer.from(text), Buffer.from(others.join(''))) };
      }
      const row = pick(random, ROWS);
      const lines =
        kind === 2 ? bundled : Array.from({ length: 3 }, () => `${JSON.stringify(row)}\n`);
      if (kind === 3) return { 'rows.jsonl': mutatePieces(random, lines, others).join('') };
      if (kind === 4)
        return {
          'rows.jsonl': mutateBytes(
            random,
            Buffer.from(lines.join('')),
            Buffer.from(others.join('')),
          ),
        };
      const mutated = `${mutateJson(random, row, pick(random, ROWS))}\n`;
      const [first, ...rest] = lines;
      return {
        'rows.jsonl':
          random.integer(2) === 0 ? [mutated, ...rest].join('') : [first, mutated].join(''),
      };
    },
    enter(folder) {
      for (const name of ['rows.jsonl', 'rows.csv', 'rows.txt'])
        if (existsSync(join(folder, name))) loadDataset(join(folder, name));
    },
  };
}
