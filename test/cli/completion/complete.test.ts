import { beforeAll, describe, expect, it } from 'vitest';
import Compare from '../../../commands/compare.js';
import Eval from '../../../commands/eval.js';
import ModelInspect from '../../../commands/model/inspect.js';
import ModelList from '../../../commands/model/list.js';
import StudyRemove from '../../../commands/study/rm.js';
import { completionOf, type KnownCommand } from '../../../src/cli/completion/complete.js';

let commands: KnownCommand[];
beforeAll(() => {
  const named = {
    ...{ compare: Compare, eval: Eval, 'model:inspect': ModelInspect },
    ...{ 'model:list': ModelList, 'study:rm': StudyRemove },
  };
  commands = Object.entries(named).map(([id, { flags, args = {}, baseFlags }]) => ({
    id,
    flags: { ...baseFlags, ...flags },
    args,
  }));
  commands.push({ id: 'secret', hidden: true, flags: {}, args: {} });
});

const complete = (...words: string[]) => completionOf(words, commands);

describe('what may stand in a word', () => {
  it('is a command, then one of its topic; hidden ones are not offered', () => {
    expect(complete('').place.values).toEqual(['compare', 'eval', 'model', 'study']);
    expect(complete('model', 'i').place.values).toEqual(['inspect', 'list']);
    expect(complete('nothing', '').place.values).toEqual([]);
  });

  it('is a flag after a hyphen, its negative too', () => {
    const { values } = complete('eval', '--limit', '3', '--').place;
    for (const flag of ['--dataset', '--warmup', '--no-warmup', '--quiet'])
      expect(values).toContain(flag);
  });

  it('is a value of the flag before it, also after an equals sign', () => {
    expect(complete('eval', '--precision', '').place.values).toEqual(['fp32', 'int8', 'int4']);
    for (const words of [
      ['--precision', '=', 'i'],
      ['--precision', '='],
    ])
      expect(complete('eval', ...words).place.values).toContain('int4');
    expect(complete('eval', '--precision=in')).toMatchObject({
      word: 'in',
      before: '--precision=',
      place: { values: ['fp32', 'int8', 'int4'] },
    });
    expect(complete('eval', '--profile', 'a').place).toEqual({ values: [], files: 'files' });
    expect(complete('eval', '--output-dir', '').place).toEqual({ values: [], files: 'dirs' });
    expect(complete('eval', '--model', '').place.names).toBe('models');
    expect(complete('eval', '--limit', '').place).toEqual({ values: [] });
  });

  it('goes on in a list', () => {
    const { word, before, place } = complete('eval', '--methods', 'skip,lo');
    expect({ word, before }).toEqual({ word: 'lo', before: 'skip,' });
    expect(place.values).toContain('lookup');
    expect(complete('eval', '--dataset', 'code,').place.names).toBe('datasets');
  });

  it('is an argument, as often as there may be one', () => {
    expect(complete('model', 'inspect', '--speed', '').place.names).toBe('models');
    expect(complete('model', 'inspect', 'demo', '').place).toEqual({ values: [] });
    for (const words of [[''], ['one', ''], ['one', '--format', 'md', '']])
      expect(complete('compare', ...words).place.files).toBe('files');
    expect(complete('compare', 'one', 'two', '').place).toEqual({ values: [] });
    expect(complete('study', 'rm', 'one', '').place.names).toBe('studies');
    expect(complete('model', 'list', '').place).toEqual({ values: [] });
  });
});
