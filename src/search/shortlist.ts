import { z } from 'zod';
import { decoderExit } from '../decoding/draft-rule.js';
import { type Candidate, candidateKey } from '../optimise/candidate.js';
import type { DraftPlan } from '../profile/draft-plan.js';
import { replayStudy, type Trial } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';
import { noteAblation } from './ablation.js';
import { type PriceFactors, repriced } from './cost/time-plan.js';
import { costRule, replayedCosts } from './cost-rule.js';
import { plainFinalist, type RankedFinalist } from './finalist.js';
import type { Ladder } from './ladder.js';
import { scoreRule } from './replay/best-rule.js';
import { bestPlan, type ReplayedPlan, type ScoredPlan } from './scored-plan.js';

/** For every finalist so many of the best trials are scored on all prompts. */
const rescoredPerFinalist = 4;

/** Predicted speedups on all prompts by mask, in the study: a search that was interrupted replays the finalists alone. */
const KEY = 'rescored';
const Rescored = z.record(z.string(), z.number());

/** What timing their own rounds showed of finalists, by mask. */
const TIMED_KEY = 'timed_finalists';
const Timed = z.record(z.string(), z.object({ draft: z.number(), target: z.number() }));

/**
 * The most promising masks of a ladder's trials, scored anew on all calibration prompts; the best of these with the rules that are best
 * at what their own rounds cost, timed, and the best of all once more with the cost rule. What its bridges and its head give is noted
 * in the study.
 */
export async function ladderShortlist(
  ladder: Ladder,
  study: OpenStudy,
  trials: readonly Trial[],
  count: number,
  onProgress: (done: number, total: number) => void,
): Promise<RankedFinalist[]> {
  const masks = new Map(trials.map((trial) => [trial.candidate.mask.join(''), trial]));
  const best = [...masks.values()]
    .sort((a, b) => b.score - a.score || a.number - b.number)
    .slice(0, rescoredPerFinalist * count);
  const known = { ...Rescored.safeParse(replayStudy(study).notes.get(KEY)).data };
  const made = new Map<string, ScoredPlan>();
  const rescore = async (mask: Uint8Array) => {
    const scored = made.get(mask.join('')) ?? bestPlan(await ladder.replay(mask));
    made.set(mask.join(''), scored);
    return scored;
  };
  const ranked = [];
  for (const [i, { candidate }] of best.entries()) {
    const { mask } = candidate;
    const key = mask.join('');
    if (known[key] === undefined) {
      known[key] = (await rescore(mask)).time.speedup;
      await study.append({ type: 'note', key: KEY, value: { ...known } });
    }
    ranked.push({ mask, speedup: known[key] });
    onProgress(i + 1, best.length);
  }
  ranked.sort((a, b) => b.speedup - a.speedup);
  const rescored = [];
  const timed = { ...Timed.safeParse(replayStudy(study).notes.get(TIMED_KEY)).data };
  for (const { mask } of ranked.slice(0, count)) {
    const { replayed: known } = await rescore(mask);
    const key = mask.join('');
    let factors = timed[key];
    if (!factors) {
      factors = await ladder.timePlan(known.plan);
      timed[key] = factors;
      await study.append({ type: 'note', key: TIMED_KEY, value: { ...timed } });
    }
    const { replayed, rule, time } = bestPlan([withPrices(known, factors)]);
    rescored.push({ replayed, mask, factors, draft: rule, predictedSpeedup: time.speedup });
  }
  rescored.sort((a, b) => b.predictedSpeedup - a.predictedSpeedup);
  const finalists = rescored.map(({ replayed, draft, predictedSpeedup }): RankedFinalist => {
    const costs = replayedCosts(replayed, predictedSpeedup);
    return { finalist: { plan: replayed.plan, draft, costs }, predictedSpeedup };
  });
  const { replayed, mask, factors, predictedSpeedup } = rescored[0]!;
  const { plan } = replayed;
  const replayPlan = async (part: DraftPlan) => withPrices(await ladder.replayPlan(part), factors);
  await noteAblation({ ...ladder, replayPlan }, study, mask, plan);
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

function withPrices(replayed: ReplayedPlan, factors: PriceFactors): ReplayedPlan {
  return { ...replayed, prices: repriced(replayed.prices, factors) };
}
