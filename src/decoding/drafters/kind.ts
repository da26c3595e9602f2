import type { DraftGraph } from '../../engine/draft-graph.js';
import type { CompiledModel } from '../../graph/compile.js';
import type { DraftPlan } from '../../profile/draft-plan.js';
import type { ExitCosts } from '../cost-exit.js';
import type { DraftExit } from '../draft-exit.js';
import type { DraftContext, Drafter } from '../drafter.js';
import type { RoundCosts } from '../round-costs.js';

/** How to draft with the model itself. */
export interface SkipDrafting {
  readonly plan: DraftPlan;
  /** K, the most tokens in one draft. */
  readonly draftLength: number;
  /** When a draft ends before that. */
  readonly exit: DraftExit;
  /**
   * Drafts pause while these costs say that they lose (fallback.ts), and a cascade chooses by them (cascade-choice.ts). Default:
   * drafts never pause, and a cascade looks up first.
   */
  readonly fallback?: ExitCosts;
}

/** What a profile, a search or the command line has to make a method of. */
export interface DraftSettings {
  /** null where there is no plan. */
  readonly drafting: SkipDrafting | null;
  /** The machine's, where they are known. */
  readonly costs?: RoundCosts | undefined;
}

/**
 * A way of drafting: a file in this folder and a line in registry.ts.
 *
 * `M` is the method as callers give it, its name and its options; `S` what it learns from one generation to the next.
 */
export interface DrafterKind<M extends { readonly name: string }, S> {
  readonly name: M['name'];
  /** As the subject of a sentence. */
  readonly label: string;
  /** Whether it drafts with a plan: a profile's, or a mask by hand. */
  readonly needsMask: boolean;
  /** Whether a profile may name it; then src/profile/schema.ts lists it too. */
  readonly inProfiles: boolean;
  /** @param settings with a plan, where the method needs one. */
  create(settings: DraftSettings): M;
  /** The most tokens that a draft has. */
  longest(method: M): number;
  /** The draft that its draft passes are of; null for one that runs none. */
  draftGraph(method: M, model: CompiledModel): DraftGraph | null;
  /** Nothing learned yet. */
  createMemory(method: M): S;
  /**
   * The drafter of one generation.
   * @throws InputError for options out of range.
   */
  open(method: M, memory: S, context: DraftContext): Promise<Drafter>;
}
