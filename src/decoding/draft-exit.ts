/**
 * Draft exit rules: when to stop drafting and verify (Zhang et al. 2023, arXiv 2309.08168, on adaptive draft exiting;
 * constants and order of updates as in the authors' decoding.py).
 *
 * | symbol | shape  | meaning                                                              |
 * |--------|--------|----------------------------------------------------------------------|
 * | K      | scalar | draft length: the most tokens in one draft                             |
 * | t      | scalar | threshold: a token less confident than this is the draft's last        |
 * | m      | scalar | moving average of accepted / drafted, 0 at the start                   |
 *
 * A rule is asked after a token joined the draft, and that token is verified whatever the answer: to drop tokens because
 * of their value would bias the output. The fourth rule, by cost, is in cost-exit.ts.
 */
import { InputError } from '../errors.js';
import { createCostExit, type ExitCosts } from './cost-exit.js';
import type { DraftExitState } from './draft-exit-state.js';

export type { DraftExitState };

/**
 * How a draft ends before its K tokens: never (`fixed`); after a token whose confidence is below `threshold`; after
 * one below a threshold that starts there and follows the acceptance (`adaptive`); or when drafting on would cost more
 * than it gains (`cost`).
 */
export type DraftExit =
  | { readonly exit: 'fixed' }
  | { readonly exit: 'threshold'; readonly threshold: number }
  | { readonly exit: 'adaptive'; readonly threshold: number }
  | { readonly exit: 'cost'; readonly costs: ExitCosts };

/** The paper's K and starting threshold. */
export const DEFAULT_DRAFT_LENGTH = 8;
export const DEFAULT_THRESHOLD = 0.8;

const ACCEPTANCE_MEMORY = 0.5;
const ACCEPTANCE_TARGET = 0.9;
const THRESHOLD_STEP = 0.01;
const THRESHOLD_MEMORY = 0.9;

/**
 * A rule over one generation.
 * @param draftLength K
 * @throws InputError when K is not a whole number of 1 or more, or the threshold is outside [0, 1], or K above what costs are
 *   known for.
 */
export function createDraftExit(rule: DraftExit, draftLength: number): DraftExitState {
  if (!Number.isSafeInteger(draftLength) || draftLength < 1) {
    throw new InputError(`draft_length is ${draftLength}: give a whole number of 1 or more.`);
  }
  if (rule.exit === 'cost') return createCostExit(rule.costs, draftLength);
  const start = rule.exit === 'fixed' ? 0 : rule.threshold;
  if (!(start >= 0 && start <= 1)) {
    throw new InputError(
      `The ${rule.exit} draft exit's threshold is ${start}: give a number from 0 to 1.`,
    );
  }
  const adaptive = rule.exit === 'adaptive';
  let threshold = start;
  let acceptance = 0;
  return {
    get threshold() {
      return threshold;
    },
    shouldStop: (drafted, confidence) => drafted >= draftLength || confidence < threshold,
    afterVerify(drafted, accepted) {
      if (!adaptive || drafted === 0) return;
      acceptance = ACCEPTANCE_MEMORY * acceptance + (1 - ACCEPTANCE_MEMORY) * (accepted / drafted);
      const step = thresholdStep(acceptance, drafted === draftLength);
      threshold = THRESHOLD_MEMORY * threshold + (1 - THRESHOLD_MEMORY) * (threshold + step);
    },
  };
}

/** t' - t. A draft that ran to K with good acceptance says nothing against t: drafting longer was not possible. */
function thresholdStep(acceptance: number, ranToEnd: boolean): number {
  if (acceptance < ACCEPTANCE_TARGET) return THRESHOLD_STEP;
  return ranToEnd ? 0 : -THRESHOLD_STEP;
}
