import { decoderExit } from '../decoding/draft-rule.js';
import { type Candidate, candidateKey } from '../optimise/candidate.js';
import type { Trial } from '../study/state.js';
import { costRule, replayedCosts } from './cost-rule.js';
import { plainFinalist, type RankedFinalist } from './finalist.js';
import type { Ladder } from './ladder.js';
import { scoreRule } from './replay/best-rule.js';
import { bestPlan } from './scored-plan.js';

/** For every finalist so many of the best trials are scored on all prompts. */
const rescoredPerFinalist = 4;

/**
 * The most promising masks of a ladder's trials, scored anew on all calibration prompts, and the best of them once more with
 * the cost rule.
 */
export async function ladderShortlist(
  ladder: Ladder,
  trials: readonly Trial[],
  count: number,
  onProgress: (done: number, total: number) => void,
): Promise<RankedFinalist[]> {
  const masks = new Map(trials.map((trial) => [trial.candidate.mask.join(''), trial]));
  const best = [...masks.values()]
    .sort((a, b) => b.score - a.score || a.number - b.number)
    .slice(0, rescoredPerFinalist * count);
  const rescored = [];
  for (const [i, { candidate }] of best.entries()) {
    const { mask } = candidate;
    const { replayed, rule, time } = bestPlan(await ladder.replay(mask));
    rescored.push({ replayed, draft: rule, predictedSpeedup: time.speedup });
    onProgress(i + 1, best.length);
  }
  rescored.sort((a, b) => b.predictedSpeedup - a.predictedSpeedup);
  const finalists = rescored
    .slice(0, count)
    .map(({ replayed, draft, predictedSpeedup }): RankedFinalist => {
      const costs = replayedCosts(replayed, predictedSpeedup);
      return { finalist: { plan: replayed.plan, draft, costs }, predictedSpeedup };
    });
  const { replayed, predictedSpeedup } = rescored[0]!;
  const { plan } = replayed;
  const { draft, costs } = costRule(replayed, predictedSpeedup);
  const { time } = scoreRule(replayed, decoderExit(draft, costs), draft.draftLength);
  return [...finalists, { finalist: { plan, draft, costs }, predictedSpeedup: time.speedup }];
}

/**
 * Distinct candidates, the most promising first: by the sampler's model where there is one, since single scores of real
 * decoding are noisy.
 */
export function modelShortlist(
  trials: readonly Trial[],
  count: number,
  predict: ((candidate: Candidate) => number) | undefined,
): RankedFinalist[] {
  const ranked = new Map<string, { candidate: Candidate; value: number }>();
  for (const { candidate, score } of trials) {
    const value = predict ? predict(candidate) : score;
    const key = candidateKey(candidate);
    if (value > (ranked.get(key)?.value ?? -Infinity)) ranked.set(key, { candidate, value });
  }
  return [...ranked.values()]
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ candidate, value }) => ({
      finalist: plainFinalist(candidate),
      predictedSpeedup: predict ? value : null,
    }));
}
