import { vi } from 'vitest';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { Engine } from '../../src/engine/engine.js';
import type { EvaluationPrompt, EvaluationSettings } from '../../src/evaluation/run.js';
import type { SamplerName } from '../../src/optimise/sampler.js';
import { draftShape } from '../../src/search/cost/draft-shape.js';
import type { SearchRequest } from '../../src/search/search-request.js';
import type { OpenStudy } from '../../src/study/storage.js';
import { aroundPasses } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { LAYERS, writeSearchModel as writeSearchModelTo } from '../helpers/search-model.js';
import { temporaryDirectory } from '../helpers/temporary.js';

export { LAYERS } from '../helpers/search-model.js';
/** Its layers that can be skipped at next to no loss; the first and the last cannot. */
export const INNER = [1, 2, 3, 4];

/** As the helper, into a folder of its own. */
export function writeSearchModel(): string {
  return writeSearchModelTo(temporaryDirectory());
}

/** `count` random prompts; those of another seed are others. */
export function somePrompts(count: number, seed: number, dataset = 'random'): EvaluationPrompt[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    dataset,
    tokens: randomTokens(8, 256, 100 * seed + i),
  }));
}

export const settings: EvaluationSettings = {
  maxNewTokens: 20,
  repetitions: 1,
  warmup: 1,
  sampling: GREEDY,
  coupling: 'gumbel',
};

/** A search small enough for a test. */
export function someRequest(study: OpenStudy, changes: Partial<SearchRequest> = {}): SearchRequest {
  return {
    sampler: 'random',
    fidelity: 'decode',
    seed: 1,
    trials: 6,
    finalists: 2,
    promptsPerTrial: 2,
    calibration: somePrompts(4, 1),
    holdout: somePrompts(3, 2),
    fitting: [],
    settings,
    study,
    ...changes,
  };
}

/** What the studies of these tests say of themselves. */
export function studyStart(sampler: SamplerName) {
  return { sampler, seed: 1, bits: 2 * LAYERS, context: { precision: 'int8' } };
}

/**
 * From now on (until the returned function is called) only passes take time, as on a machine without any noise: a millisecond for
 * every sublayer that runs, one for the head, or as much of it as a draft has, a quarter for a bridge, and a sixteenth more
 * for every further token (sums are exact so).
 */
export function simulateClock(): () => void {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  // More than there is: nothing is left that other processes could have taken.
  const cpu = vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 1e15, system: 0 });
  /** Milliseconds of a pass, by the sessions of drafts; a model that was loaded before runs whole. */
  const drafts = new WeakMap<Engine, number>();
  const { load } = Engine;
  const loading = vi.spyOn(Engine, 'load').mockImplementation(async (model, options) => {
    const engine = await load(model, options);
    if (typeof options.form === 'object') {
      const { layers } = engine.config;
      const { attention, mlp, head, bridges } = draftShape(options.form, engine.config);
      drafts.set(engine, layers * (attention + mlp + bridges / 4) + head);
    }
    return engine;
  });
  const restore = aroundPasses(Engine.prototype, ({ engine, tokens }, run) => {
    const milliseconds = drafts.get(engine) ?? 2 * engine.config.layers + 1;
    now += milliseconds * (1 + (tokens.length - 1) / 16);
    return run();
  });
  return () => {
    restore();
    loading.mockRestore();
    clock.mockRestore();
    cpu.mockRestore();
  };
}
