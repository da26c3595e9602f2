import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileMethod } from '../../src/decoding/profile-method.js';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import type { EvaluationRow } from '../../src/evaluation/summary.js';
import { METRIC_NAMES } from '../../src/metrics/registry.js';
import { SEARCHED_EXITS } from '../../src/optimise/candidate.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { parseProfile } from '../../src/profile/profile.js';
import { finalistMethod, plainFinalist } from '../../src/search/finalist.js';
import { figuresOf, foundProfile, paretoPoints } from '../../src/search/found-profile.js';
import { runSearch } from '../../src/search/run.js';
import { searchDocument } from '../../src/search/search-document.js';
import type { SearchRequest } from '../../src/search/search-request.js';
import type { SearchResult } from '../../src/search/search-result.js';
import { journalStorage } from '../../src/study/journal.js';
import type { Trial } from '../../src/study/state.js';
import { fittingOf } from '../helpers/plans.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  LAYERS,
  settings,
  somePrompts,
  someRequest,
  studyStart,
  writeSearchModel,
} from './example.js';

let model: Model;
let request: SearchRequest;
let result: SearchResult;
beforeAll(async () => {
  model = await loadModel(writeSearchModel(), { threads: 1 });
  const study = await journalStorage(temporaryDirectory()).open('s', studyStart('random'), {
    resume: false,
  });
  const holdout = [...somePrompts(2, 5, 'a'), ...somePrompts(2, 6, 'b')];
  request = someRequest(study, { holdout });
  result = await runSearch(model, request);
  await study.close();
});
afterAll(() => model.close());

const dataset = { name: 'random', split: null, version: 1, hash: 'abc', prompts: 4 };
const sources = {
  reference: 'some/model',
  studyName: 's',
  dataset,
  holdout: { ...dataset, hash: 'def' },
  command: 'sspec search',
  draftWeights: null,
};

describe('the profile of a search', () => {
  it('is one that can be read, and decodes as the winner did', () => {
    const profile = foundProfile(model.engine, request, result, sources);
    expect(parseProfile(JSON.stringify(profile), 'found.json')).toEqual(profile);
    expect(profileMethod(fittingOf(profile), result.method)).toEqual(
      finalistMethod(result.winner, result.method),
    );
    expect(profileMethod(fittingOf(profile)).name).toBe(result.chosen);
    expect(profile).not.toHaveProperty('sampling');
    expect(profile.provenance).not.toHaveProperty('warnings');
    expect(profile.provenance.node).toBe(process.versions.node);
    expect(profile.provenance.onnxruntime).toMatch(/^\d+\.\d+\.\d+/);
    expect(profile.model.weights_hash).toBe(model.engine.model.weightsHash);
    expect(profile.provenance).toMatchObject({
      study: 's',
      trials: 6,
      sampler: 'random',
      seed: 1,
      dataset: { name: 'random', hash: 'abc' },
      holdout: { name: 'random', hash: 'def' },
    });
  });

  it('says what was warned of when it was measured', () => {
    const warnings = ['This machine is busy.'];
    const profile = foundProfile(model.engine, request, result, { ...sources, warnings });
    expect(profile.provenance.warnings).toEqual(warnings);
    expect(parseProfile(JSON.stringify(profile), 'found.json')).toEqual(profile);
  });

  it('decodes with the method that was chosen, and says what its figures are of', () => {
    const methods = ['skip', 'cascade', 'lookup'] as const;
    for (const method of methods) {
      for (const chosen of [method, 'autoregressive'] as const) {
        const found = { ...result, method, chosen };
        const profile = foundProfile(model.engine, request, found, sources);
        expect(parseProfile(JSON.stringify(profile), 'found.json')).toEqual(profile);
        expect(profile.figures.method).toBe(method);
        expect(profileMethod(fittingOf(profile))).toEqual(
          chosen === 'autoregressive' ? { name: chosen } : finalistMethod(result.winner, method),
        );
      }
    }
  });

  it('has the figures of the calibration and of the held-out prompts, those by dataset too', () => {
    const { calibration, holdout } = foundProfile(model.engine, request, result, sources).figures;
    expect(calibration).toMatchObject({ prompts: 4, new_tokens: 80 });
    expect(calibration!.speedup).toBe(result.calibration.pooled.speedup);
    expect(holdout!.speedup).toBe(result.holdout.pooled.speedup);
    expect(Object.keys(holdout!.per_kind!).sort()).toEqual(['a', 'b']);
    expect(holdout!.per_kind!.a!.prompts).toBe(2);
  });

  it('names the sampling that it was found for', () => {
    const sampling = { temperature: 0.7, topK: 5, topP: 0.9, minP: 0, seed: 0 };
    const sampled = { ...request, settings: { ...settings, sampling } };
    const profile = foundProfile(model.engine, sampled, result, sources);
    expect(profile.sampling).toEqual({ temperature: 0.7, top_k: 5, top_p: 0.9, min_p: 0 });
    expect(parseProfile(JSON.stringify(profile), 'found.json')).toEqual(profile);
  });

  it('leaves figures out where nothing was timed', () => {
    const row = { ...result.holdout.pooled, mean_acceptance_length: null } satisfies EvaluationRow;
    expect(figuresOf(row)).toBeNull();
    const silent = { ...result, holdout: { pooled: row, perKind: {} } };
    const profile = foundProfile(model.engine, request, silent, sources);
    expect(Object.keys(profile.figures)).toEqual(['method', 'calibration']);
    expect(parseProfile(JSON.stringify(profile), 'found.json')).toEqual(profile);
  });
});

describe('the Pareto set', () => {
  const level = fc.integer({ min: 1, max: 12 }).map((n) => n / 12);
  const candidate = fc.record({
    mask: fc.uint8Array({ minLength: 2 * LAYERS, maxLength: 2 * LAYERS, max: 1 }),
    draft: fc.record({
      exit: fc.constantFrom(...SEARCHED_EXITS),
      draftLength: fc.integer({ min: 2, max: 12 }),
      threshold: level,
    }),
  });
  const trial: fc.Arbitrary<Trial> = fc.record({
    number: fc.nat(),
    proposed: candidate,
    candidate,
    score: level,
    variance: fc.constant(0),
    figures: fc.record({ draft_acceptance_rate: level, c: level }, { requiredKeys: ['c'] }),
  });

  it('is what no trial beats in both acceptance and c, each point once', () => {
    fc.assert(
      fc.property(fc.array(trial, { maxLength: 30 }), (trials) => {
        const drafted = trials.flatMap(({ figures: { c, draft_acceptance_rate } }) =>
          c === undefined || draft_acceptance_rate === undefined
            ? []
            : [{ c, acceptance: draft_acceptance_rate }],
        );
        const points = drafted.map(({ c, acceptance }) => `${c} ${acceptance}`);
        const beaten = (a: (typeof drafted)[number]) =>
          drafted.some(
            (b) =>
              b.c <= a.c &&
              b.acceptance >= a.acceptance &&
              (b.c < a.c || b.acceptance > a.acceptance),
          );
        const expected = new Set(points.filter((_, i) => !beaten(drafted[i]!)));
        const front = paretoPoints(trials).map((p) => `${p.c} ${p.draft_acceptance_rate}`);
        expect(new Set(front)).toEqual(expected);
        expect(front).toHaveLength(expected.size);
      }),
    );
  });

  it('has masks, rules and scores of its trials', () => {
    for (const { skip_attention, skip_mlp, speedup } of paretoPoints(result.trials)) {
      const own = result.trials.find(({ score }) => score === speedup)!;
      const { attention, mlp } = { attention: skip_attention, mlp: skip_mlp };
      const method = finalistMethod(plainFinalist(own.candidate));
      expect(method).toMatchObject({ plan: skipPlan({ attention, mlp }) });
    }
  });
});

it('the document has the fields of the command-line contract, and no other', () => {
  const document = searchDocument(
    's',
    request,
    result,
    'found.json',
    { calibration: { dataset }, holdout: { dataset: sources.holdout } },
    performance.now() - 5000,
  );
  const contract = [
    ...['speedup', 'speedup_ci95', 'verdict', 'draft_acceptance_rate', 'mean_acceptance_length'],
    ...['c', 'tokens_per_second', 'prompts', 'new_tokens'],
  ];
  const figures = [...new Set([...contract, ...METRIC_NAMES])];
  const rule = [
    'skip_attention',
    'skip_mlp',
    'bridges',
    'memories',
    'head_words',
    'draft_length',
    'draft_exit',
    'threshold',
  ];
  const keys = (value: object) => Object.keys(value).sort();
  expect(keys(document)).toEqual(
    [
      ...[
        'study',
        'sampler',
        'fidelity',
        'method',
        'prompts',
        'trials',
        'wall_seconds',
        'calibration',
        'best',
        'holdout',
      ],
      'profile',
    ].sort(),
  );
  expect(document.calibration).toEqual({ cost_model_error: null, rank_correlation: null });
  expect(keys(document.best)).toEqual([...rule, 'method', 'predicted_speedup', ...figures].sort());
  expect(keys(document.holdout)).toEqual([...figures, 'per_kind'].sort());
  expect(keys(document.holdout.per_kind.b!)).toEqual(figures.sort());
  expect(document).toMatchObject({ study: 's', sampler: 'random', trials: 6 });
  expect(document).toMatchObject({ profile: 'found.json', best: { predicted_speedup: null } });
  expect(document.wall_seconds).toBeGreaterThanOrEqual(5);
  expect(document.best.prompts).toBe(4);
  expect(document.holdout.prompts).toBe(4);
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});
