/**
 * What each part of a found plan gives to drafts alone: the plan without its memory, its bridges, its smaller head, and what of these goes
 * together.
 */
import type { Bridge, DraftPlan } from '../profile/draft-plan.js';
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
  ladder: Pick<Ladder, 'replayPlan' | 'bridge'>,
  study: OpenStudy,
  mask: Uint8Array,
  plan: DraftPlan,
): Promise<void> {
  if (replayStudy(study).notes.has(KEY)) return;
  const variants = await variantsOf(ladder, plan);
  if (variants.length === 1) return;
  const value: AblationNote[] = [];
  for (const variant of variants) {
    const scored = await bestPlan([await ladder.replayPlan(variant)]);
    const { figures } = scoredTrial(mask, scored);
    value.push({
      bridges: variant.bridges.length,
      memories: memoriesOf(variant.bridges),
      head_words: variant.words?.length ?? null,
      // In a cascade lookups would hide most of it.
      predicted_speedup: scored.speedups.skip,
      draft_acceptance_rate: figures.draft_acceptance_rate!,
      mean_acceptance_length: figures.mean_acceptance_length!,
      c: figures.c!,
    });
  }
  await study.append({ type: 'note', key: KEY, value });
}

/** From the mask alone to the whole plan. */
async function variantsOf(
  ladder: Pick<Ladder, 'bridge'>,
  { mask, bridges, words }: DraftPlan,
): Promise<DraftPlan[]> {
  const bridged: (readonly Bridge[])[] = [[]];
  if (memoriesOf(bridges) > 0) {
    // Fitted anew: a map does more where no memory helps it.
    const plain: Bridge[] = [];
    for (const bridge of bridges) plain.push(bridge.memory ? await ladder.bridge(bridge) : bridge);
    bridged.push(plain);
  }
  if (bridges.length > 0) bridged.push(bridges);
  const headed = words ? [null, words] : [null];
  return headed.flatMap((words) => bridged.map((bridges) => ({ mask, bridges, words })));
}

function memoriesOf(bridges: readonly Bridge[]): number {
  return bridges.filter(({ memory }) => memory).length;
}
