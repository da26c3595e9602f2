import { z } from 'zod';
import { complete } from '../../src/decoding/generate.js';
import type { Method } from '../../src/decoding/method.js';
import type { Model } from '../../src/engine/load-model.js';
import type { EvaluationPrompt, EvaluationSettings } from '../../src/evaluation/run.js';
import { type PairedSample, speedupInterval } from '../../src/measurement/bootstrap.js';
import { bitsToMask } from '../../src/profile/mask.js';
import { noteOf } from '../../src/search/sources.js';
import type { OpenStudy } from '../../src/search/storage/storage.js';
import { finalistMethod } from '../../src/search/trial.js';
import type { TimedScorer } from './samplers-bench.js';

const AUTOREGRESSIVE: Method = { name: 'autoregressive' };
const StoredSeconds = z.array(z.number().positive());

/**
 * Scores by decoding the prompts once, as the reference does: the autoregressive time that the speedup refers to is measured
 * once, at the start, and kept.
 */
export async function createDecodeScorer(
  model: Model,
  prompts: readonly EvaluationPrompt[],
  settings: EvaluationSettings,
  study: OpenStudy,
): Promise<TimedScorer> {
  const decode = async (method: Method): Promise<number[]> => {
    const seconds: number[] = [];
    for (const prompt of prompts) {
      const { maxNewTokens, sampling, coupling } = settings;
      const request = { prompt: prompt.tokens, method, maxNewTokens, sampling, coupling };
      const { statistics } = await complete(model.engine, request);
      seconds.push(statistics.decodeSeconds);
    }
    return seconds;
  };
  // The first passes of a process are slower than those that follow.
  await decode(AUTOREGRESSIVE);
  const stored = StoredSeconds.length(prompts.length).safeParse(noteOf(study, 'autoregressive'));
  const baseline = stored.data ?? (await decode(AUTOREGRESSIVE));
  if (!stored.success) await study.append({ type: 'note', key: 'autoregressive', value: baseline });
  return {
    draft: 'search',
    async score(candidate) {
      const began = performance.now();
      const lease = await model.engine.draft(bitsToMask(candidate.mask));
      const own = await decode(finalistMethod(candidate)).finally(() => lease.release());
      const samples = prompts.map(
        ({ dataset, id }, i): PairedSample => ({
          prompt: `${dataset} ${id}`,
          baselineSeconds: [baseline[i]!],
          methodSeconds: [own[i]!],
        }),
      );
      const { speedup, ci95 } = speedupInterval(samples, { seed: 0, resamples: 400 });
      const scored = {
        candidate,
        score: speedup,
        variance: ((ci95[1] - ci95[0]) / (2 * 1.96)) ** 2,
        figures: {},
      };
      return { scored, seconds: (performance.now() - began) / 1000 };
    },
    async close() {},
  };
}
