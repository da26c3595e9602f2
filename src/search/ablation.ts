/** What each part of a found plan gives: the plan without its bridges, without its smaller head, and without either. */
import type { DraftPlan } from '../profile/draft-plan.js';
import type { AblationNote } from '../study/notes.js';
import { replayStudy } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';
import type { Ladder } from './ladder.js';
import { bestPlan, scoredTrial } from './scored-plan.js';

/** Where the journal has it. */
const KEY = 'ablation';

/**
 * Replays the parts of a plan on all calibration prompts, each part left out with the draft-length rule that is best without it, so
 * that every variant is shown at its best cost. Does nothing for a plan that has neither bridges nor a smaller head, nor where the
 * study has it.
 * @param mask of the plan, [2 L] bits, 1 = skipped.
 */
export async function noteAblation(
  ladder: Pick<Ladder, 'replayPlan'>,
  study: OpenStudy,
  mask: Uint8Array,
  plan: DraftPlan,
): Promise<void> {
  const variants = variantsOf(plan);
  if (variants.length === 1 || replayStudy(study).notes.has(KEY)) return;
  const value: AblationNote[] = [];
  for (const variant of variants) {
    const { figures } = scoredTrial(mask, bestPlan([await ladder.replayPlan(variant)]));
    value.push({
      bridges: variant.bridges.length,
      head_words: variant.words?.length ?? null,
      predicted_speedup: figures.predicted_speedup!,
      draft_acceptance_rate: figures.draft_acceptance_rate!,
      mean_acceptance_length: figures.mean_acceptance_length!,
      c: figures.c!,
    });
  }
  await study.append({ type: 'note', key: KEY, value });
}

/** From the mask alone to the whole plan. */
function variantsOf({ mask, bridges, words }: DraftPlan): DraftPlan[] {
  const bridged = bridges.length > 0 ? [[], bridges] : [[]];
  const headed = words ? [null, words] : [null];
  return headed.flatMap((words) => bridged.map((bridges) => ({ mask, bridges, words })));
}
