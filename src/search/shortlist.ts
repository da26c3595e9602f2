import { z } from 'zod';
import { type Candidate, candidateKey } from '../optimise/candidate.js';
import type { DraftPlan } from '../profile/draft-plan.js';
import { replayStudy, type Trial } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';
import { noteAblation } from './ablation.js';
import { type PriceFactors, repriced } from './cost/time-plan.js';
import { mostPromising, plainFinalist, type RankedFinalist } from './finalist.js';
import type { Ladder } from './ladder.js';
import {
  bestPlan,
  type PlanMethod,
  type ReplayedPlan,
  type ScoredPlan,
  scoreCostRule,
  scoreOfPlan,
} from './scored-plan.js';
import { watched } from './watched-rungs.js';

/** For every finalist so many of the best trials are scored on all prompts. */
const rescoredPerFinalist = 3;

/** Predicted speedups on all prompts by mask, in the study: a search that was interrupted replays the finalists alone. */
const KEY = 'rescored';
const Rescored = z.record(z.string(), z.number());

/** What timing their own rounds showed of finalists, by mask. */
const TIMED_KEY = 'timed_finalists';
const Timed = z.record(z.string(), z.object({ draft: z.number(), target: z.number() }));

/**
 * The most promising masks of a ladder's trials, scored anew on all calibration prompts, and the best of these once more at what their
 * own rounds cost, timed. What the bridges and the head of the best one give is noted in the study.
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
    const scored = made.get(mask.join('')) ?? (await bestPlan(await ladder.replay(mask)));
    made.set(mask.join(''), scored);
    return scored;
  };
  const ranked = [];
  for (const [i, { candidate }] of best.entries()) {
    const { mask } = candidate;
    const key = mask.join('');
    if (known[key] === undefined) {
      known[key] = scoreOfPlan(await rescore(mask));
      await study.append({ type: 'note', key: KEY, value: { ...known } });
    }
    ranked.push({ mask, speedup: known[key] });
    onProgress(i + 1, best.length);
  }
  ranked.sort((a, b) => b.speedup - a.speedup);
  const rescored: RescoredPlan[] = [];
  const timed = { ...Timed.safeParse(replayStudy(study).notes.get(TIMED_KEY)).data };
  for (const { mask } of ranked.slice(0, count)) {
    const { replayed } = await rescore(mask);
    const key = mask.join('');
    let factors = timed[key];
    if (!factors) {
      factors = await watched(study, 'timed_finalists', () => ladder.timePlan(replayed.plan));
      timed[key] = factors;
      await study.append({ type: 'note', key: TIMED_KEY, value: { ...timed } });
    }
    rescored.push({ mask, factors, scored: await bestPlan([withPrices(replayed, factors)]) });
  }
  rescored.sort((a, b) => scoreOfPlan(b.scored) - scoreOfPlan(a.scored));
  const { scored, mask, factors } = rescored[0]!;
  const replayPlan = async (part: DraftPlan) => withPrices(await ladder.replayPlan(part), factors);
  await noteAblation({ ...ladder, replayPlan }, study, mask, scored.replayed.plan);
  return finalistsOf(rescored.map(({ scored }) => scored));
}

/** A mask's best plan at what its own rounds cost. */
interface RescoredPlan {
  readonly mask: Uint8Array;
  readonly factors: PriceFactors;
  readonly scored: ScoredPlan;
}

/** The cascade with every plan, and the drafts alone that promise most, each with its better rule: the searched one or the cost rule. */
async function finalistsOf(plans: readonly ScoredPlan[]): Promise<RankedFinalist[]> {
  const cascades: RankedFinalist[] = [];
  const skips: RankedFinalist[] = [];
  for (const scored of plans) {
    const { plan } = scored.replayed;
    const rules = [{ ...scored, draft: scored.rule }, await scoreCostRule(scored)];
    const better = (name: PlanMethod): RankedFinalist => {
      const { draft, costs, speedups } = rules.reduce((a, b) =>
        b.speedups[name] > a.speedups[name] ? b : a,
      );
      return { name, finalist: { plan, draft, costs }, predictedSpeedup: speedups[name] };
    };
    cascades.push(better('cascade'));
    skips.push(better('skip'));
  }
  return [...cascades, skips.reduce(mostPromising)];
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
      name: 'skip',
      finalist: plainFinalist(candidate),
      predictedSpeedup: predict ? value : null,
    }));
}

function withPrices(replayed: ReplayedPlan, factors: PriceFactors): ReplayedPlan {
  return { ...replayed, prices: repriced(replayed.prices, factors) };
}
