import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import type { Method } from '../../src/decoding/method.js';
import { profileMethod } from '../../src/decoding/profile-method.js';
import {
  type FinishedSearch,
  loadModel,
  type Model,
  readFittingProfile,
  searchModel,
} from '../../src/index.js';
import type { SearchOptions } from '../../src/search/search-options.js';
import { journalStorage } from '../../src/study/journal.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { somePrompts, writeSearchModel } from './example.js';

/** Share of the CPU that other processes take. */
const others = vi.hoisted(() => ({ share: 0 }));
vi.mock('../../src/measurement/busy.js', async (original) => ({
  ...(await original<typeof import('../../src/measurement/busy.js')>()),
  watchOthers: () => () => others.share,
}));

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
    // How long the preparation takes is told on a slow machine only.
    onNotice: (sentence) => {
      if (!sentence.startsWith('What comes before the trials')) notices.push(sentence);
    },
  };
});

/** A search whose winner has bridges, which depends on times: of some seeds one does. */
async function bridgedSearch(): Promise<{ found: FinishedSearch; asked: SearchOptions }> {
  for (let seed = 0; seed < 12; seed++) {
    const asked = { ...options, seed, trials: 4, maxNewTokens: 16 };
    const found = await searchModel(model, asked);
    if (found.profile.bridges) return { found, asked };
  }
  throw new Error('no search had a winner with bridges');
}

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

  it('tells what other processes took while it timed something, and tells it again when it goes on', async () => {
    const busy =
      'This machine was busy: other processes used 40% of the CPU during the timing of passes;';
    const quiet = 'This machine is busy: other processes use 30% of the CPU;';
    const asked = { ...options, warnings: [quiet, 'something else'] };
    others.share = 0.4;
    try {
      const { profile } = await searchModel(model, asked);
      const { warnings } = profile.provenance;
      expect(warnings).toEqual(['something else', expect.stringContaining(busy)]);
      expect(notices).toEqual([expect.stringContaining(busy)]);
    } finally {
      others.share = 0;
    }
    const { profile } = await searchModel(model, { ...asked, resume: true, trials: 3 });
    expect(profile.provenance.warnings).toContainEqual(expect.stringContaining(busy));
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

  it('writes what a plan has beside its mask, and the profile decodes with it, losslessly', async () => {
    const { profile, document } = (await bridgedSearch()).found;
    const { bridges = [], draft_weights: weights } = profile;
    expect(profile.version).toBe(2);
    expect(bridges.length).toBeGreaterThan(0);
    expect(document.best.bridges).toEqual(bridges.map(({ from, to }) => [from, to]));
    const fitting = readFittingProfile(options.output, model.engine);
    expect(fitting.plan.bridges).toMatchObject(bridges);
    const folder = dirname(options.output);
    expect(readdirSync(folder).filter((name) => name.endsWith('.safetensors'))).toEqual([
      weights!.file,
    ]);

    const { plan } = fitting;
    const always: Method = { name: 'skip', plan, draftLength: 4, exit: { exit: 'fixed' } };
    let proposed = 0;
    for (const { tokens: prompt } of somePrompts(4, 9)) {
      const request = { prompt, maxNewTokens: 30, ignoreEos: true };
      const plain = await complete(model.engine, request);
      const methods: readonly Method[] = [profileMethod(fitting, 'skip'), always];
      for (const method of methods) {
        const drafted = await complete(model.engine, { ...request, method });
        expect(drafted.tokens).toEqual(plain.tokens);
        if (method === always) proposed += drafted.statistics.proposedTokens;
      }
    }
    // Of a random model's drafts none need be right.
    expect(proposed).toBeGreaterThan(0);
  });

  it('tells a finished study again beside its draft weights, and measures anew where they are lost', async () => {
    const { found: first, asked } = await bridgedSearch();
    const again = { ...asked, resume: true };
    const output = join(temporaryDirectory(), 'elsewhere.json');
    expect((await searchModel(model, { ...again, output })).profile).toEqual(first.profile);
    const { plan } = readFittingProfile(output, model.engine);
    expect(plan).toEqual(readFittingProfile(options.output, model.engine).plan);

    for (const file of [options.output, output])
      rmSync(join(dirname(file), first.profile.draft_weights!.file));
    notices = [];
    const third = await searchModel(model, again);
    expect(notices.join(' ')).not.toContain('told again');
    expect(readFittingProfile(options.output, model.engine).profile).toEqual(third.profile);
  });

  it('finds the draft weights of a study that is gone on with from another folder', async () => {
    const folder = process.cwd();
    try {
      process.chdir(dirname(options.output));
      options = { ...options, output: 'profile.json' };
      const { found: first, asked } = await bridgedSearch();
      process.chdir(temporaryDirectory());
      notices = [];
      const again = await searchModel(model, { ...asked, output: 'again.json', resume: true });
      expect(notices.join(' ')).toContain('told again');
      expect(again.document.profile).toBe('again.json');
      expect(readFittingProfile('again.json', model.engine).profile).toEqual(first.profile);
    } finally {
      process.chdir(folder);
    }
  });

  it('gives the study back when it is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const study = { study: 'mine', resume: true };
    await expect(searchModel(model, { ...options, ...study, signal })).rejects.toThrow('enough');
    expect((await searchModel(model, { ...options, ...study })).document.study).toBe('mine');
  });
});
