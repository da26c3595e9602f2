import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import { MOST_PROMPTS } from '../../src/search/defaults.js';
import { chooseHoldout, type SearchPrompts } from '../../src/search/holdout.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { writeSearchModel } from './example.js';

let model: Model;
let directory: string;
beforeAll(async () => {
  model = await loadModel(writeSearchModel(), { threads: 1 });
  directory = temporaryDirectory();
});
afterAll(() => model.close());

function promptFile(name: string, prompts: readonly string[]): string {
  const file = join(directory, `${name}.jsonl`);
  writeFileSync(file, prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
  return file;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `prompt ${i}`);
const texts = ({ prompts }: SearchPrompts) =>
  prompts.map(({ tokens }) => model.tokenizer?.decode(tokens));

describe('a share set aside', () => {
  it('is disjoint from the rest, together they are all, and the seed decides', () => {
    const all = numbered(20);
    const file = promptFile('all', all);
    const chosen = [0, 1, 2].map((seed) => {
      const { calibration, holdout } = chooseHoldout(model, file, '0.25', seed);
      expect(holdout.prompts).toHaveLength(5);
      expect(holdout.dataset).toMatchObject({ prompts: 5, split: null });
      expect(calibration.dataset.prompts).toBe(15);
      expect([...texts(calibration), ...texts(holdout)].sort()).toEqual([...all].sort());
      return texts(holdout).join();
    });
    expect(new Set(chosen).size).toBe(3);
    expect(texts(chooseHoldout(model, file, '0.25', 1).holdout).join()).toBe(chosen[1]);
  });

  it('is three in ten of a file when nothing is said, and its name tells the share', () => {
    const { calibration, holdout } = chooseHoldout(
      model,
      promptFile('ten', numbered(10)),
      undefined,
      0,
    );
    expect(holdout.prompts).toHaveLength(3);
    expect(holdout.dataset.name).toBe('ten (share 0.3, seed 0)');
    expect(calibration.dataset.name).not.toBe(holdout.dataset.name);
  });

  it('keeps prompts that come twice on one side', () => {
    const file = promptFile('twice', [...numbered(6), ...numbered(6)]);
    for (let seed = 0; seed < 5; seed++) {
      const { calibration, holdout } = chooseHoldout(model, file, '0.5', seed);
      const known = new Set(texts(calibration));
      expect(texts(holdout).some((text) => known.has(text))).toBe(false);
      expect(holdout.prompts).toHaveLength(6);
    }
  });

  it('leaves something to search on', () => {
    const { calibration } = chooseHoldout(model, promptFile('two', numbered(2)), '0.1', 0);
    expect(calibration.prompts).toHaveLength(1);
    expect(() => chooseHoldout(model, promptFile('one', ['a', 'a']), '0.5', 0)).toThrow(
      /"one" has 1 different prompts, too few/,
    );
  });

  it.each(['0', '1', '-0.5', '7'])('%s is no share', (text) => {
    expect(() => chooseHoldout(model, promptFile('all', numbered(4)), text, 0)).toThrow(
      /between 0 and 1/,
    );
  });
});

describe('of more prompts than a search decodes', () => {
  const { calibration: most, holdout: mostHeldOut } = MOST_PROMPTS;

  it('the first are used, and the records say how many', () => {
    const file = promptFile('long', numbered(2 * (most + mostHeldOut)));
    const { calibration, holdout } = chooseHoldout(model, file, '0.5', 0);
    expect(texts(calibration)).toHaveLength(most);
    expect(texts(holdout)).toHaveLength(mostHeldOut);
    expect([calibration.dataset.prompts, holdout.dataset.prompts]).toEqual([most, mostHeldOut]);
  });

  it('those of a group are balanced', () => {
    const { holdout } = chooseHoldout(model, 'calibration', undefined, 0);
    const kinds = holdout.prompts.map(({ dataset }) => dataset);
    const counts = [...new Set(kinds)].map((kind) => kinds.filter((k) => k === kind).length);
    expect(counts).toEqual(Array(4).fill(mostHeldOut / 4));
    expect(holdout.dataset.prompts).toBe(mostHeldOut);
  });
});

describe('held-out prompts of their own', () => {
  it('are those of the bundled dataset', () => {
    for (const ref of ['calibration', 'code', 'code:calibration']) {
      const { calibration, holdout } = chooseHoldout(model, ref, undefined, 0);
      expect([calibration.dataset.split, holdout.dataset.split]).toEqual([
        'calibration',
        'heldout',
      ]);
      const name = ref === 'calibration' ? ['calibration', 'heldout'] : ['code', 'code'];
      expect([calibration.dataset.name, holdout.dataset.name]).toEqual(name);
      const known = new Set(texts(calibration));
      expect(texts(holdout).some((text) => known.has(text))).toBe(false);
    }
  });

  it('are those of another dataset that is named', () => {
    const searched = promptFile('searched', numbered(3));
    const { calibration, holdout } = chooseHoldout(model, searched, 'math', 0);
    expect(texts(calibration)).toEqual(numbered(3));
    expect(holdout.dataset).toMatchObject({ name: 'math', split: 'heldout' });
  });

  it('must not be among those that are searched on', () => {
    const searched = promptFile('left', numbered(3));
    const other = promptFile('right', ['new', 'prompt 2']);
    expect(() => chooseHoldout(model, searched, other, 0)).toThrow(
      /of right is among the calibration prompts too/,
    );
  });

  it('are not searched on', () => {
    for (const holdout of [undefined, 'code', '0.3']) {
      expect(() => chooseHoldout(model, 'code:heldout', holdout, 0)).toThrow(/for measuring/);
    }
  });
});
