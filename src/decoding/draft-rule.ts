/**
 * The draft-length rule: when a draft ends. One form for what is stored, asked for and searched; {@link decoderExit} makes the
 * decoder's of it, which has the costs too where the rule weighs them.
 */
import { InputError } from '../errors.js';
import type { ExitCosts } from './cost-exit.js';
import { DEFAULT_DRAFT_LENGTH, DEFAULT_THRESHOLD, type DraftExit } from './draft-exit.js';

/** When a draft ends before its K tokens; see {@link DraftExit}. */
export const DRAFT_EXITS = ['fixed', 'threshold', 'adaptive', 'cost'] as const;
export type DraftExitName = (typeof DRAFT_EXITS)[number];

/** A rule; `E` are the exits that it may have. */
export interface DraftRule<E extends DraftExitName = DraftExitName> {
  readonly exit: E;
  /** K, the most tokens in one draft. */
  readonly draftLength: number;
  /** Confidence below which a draft stops (`adaptive`: where the threshold starts); 0 for the exits without one. */
  readonly threshold: number;
}

/** What is asked for in place of parts of a rule. */
export interface DraftRuleOverrides {
  readonly exit?: DraftExitName | undefined;
  readonly draftLength?: number | undefined;
  readonly threshold?: number | undefined;
}

/** Whether an exit looks at a threshold. */
export function hasThreshold(exit: DraftExitName): boolean {
  return exit === 'threshold' || exit === 'adaptive';
}

/**
 * A rule with what was asked for in place of its own parts; the paper's where there is neither. A rule without a threshold has
 * none to take over.
 */
export function overrideRule(stored: DraftRule | null, asked: DraftRuleOverrides): DraftRule {
  const exit = asked.exit ?? stored?.exit ?? 'adaptive';
  const known = stored && hasThreshold(stored.exit) ? stored.threshold : DEFAULT_THRESHOLD;
  return {
    exit,
    draftLength: asked.draftLength ?? stored?.draftLength ?? DEFAULT_DRAFT_LENGTH,
    threshold: hasThreshold(exit) ? (asked.threshold ?? known) : 0,
  };
}

/**
 * The decoder's form of a rule.
 * @param costs of the mask that it drafts with, where they are known.
 * @throws InputError for the rule `cost` without costs.
 */
export function decoderExit(
  { exit, threshold }: Pick<DraftRule, 'exit' | 'threshold'>,
  costs?: ExitCosts,
): DraftExit {
  if (exit === 'fixed') return { exit };
  if (exit !== 'cost') return { exit, threshold };
  if (costs) return { exit, costs };
  throw new InputError(
    'The draft exit "cost" needs the costs of passes, which sspec search stores in a profile as draft.costs; search again, or choose another draft exit.',
  );
}
