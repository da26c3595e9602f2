import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadModel, type Model, readFittingProfile, searchModel } from '../../src/index.js';
import type { SearchOptions } from '../../src/search/search-model.js';
import { journalStorage } from '../../src/study/journal.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { writeSearchModel } from './example.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel(writeSearchModel(), { threads: 1 });
});
afterAll(() => model.close());

let notices: string[];
let options: SearchOptions;
beforeEach(() => {
  notices = [];
  const directory = temporaryDirectory();
  const dataset = join(directory, 'prompts.txt');
  writeFileSync(dataset, 'one\ntwo and\nthree\nfour more\n');
  options = {
    ...{ storage: journalStorage(directory), output: join(directory, 'profile.json'), dataset },
    ...{ sampler: 'random', trials: 2, finalists: 1, promptsPerTrial: 1, maxNewTokens: 8 },
    onNotice: (sentence) => notices.push(sentence),
  };
});

describe('searchModel', () => {
  it('writes the profile that it gives back, and keeps a study of a name that it made', async () => {
    const { profile, document } = await searchModel(model, options);
    expect(readFittingProfile(options.output, model.engine).profile).toEqual(profile);
    expect(document).toMatchObject({ trials: 2, sampler: 'random', fidelity: 'ladder' });
    expect(document.profile).toBe(options.output);
    expect(document.study).toMatch(/-prompts-int8-random-ladder-0$/);
    expect(await options.storage.list()).toEqual([document.study]);
    expect(profile.provenance).toMatchObject({ study: document.study, command: 'searchModel' });
    expect(notices).toEqual([]);
  });

  it('goes on with the study that fits, and tells a finished one again', async () => {
    const first = await searchModel(model, options);
    const again = await searchModel(model, { ...options, resume: true });
    expect(again).toEqual(first);
    expect(notices).toEqual([
      `Going on with study ${first.document.study}.`,
      `Study ${first.document.study} is finished: what it found is told again, nothing measured anew.`,
    ]);
    const { document } = await searchModel(model, { ...options, resume: true, trials: 3 });
    expect(document).toMatchObject({ study: first.document.study, trials: 3 });
  });

  it('gives the study back when it is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const study = { study: 'mine', resume: true };
    await expect(searchModel(model, { ...options, ...study, signal })).rejects.toThrow('enough');
    expect((await searchModel(model, { ...options, ...study })).document.study).toBe('mine');
  });
});
