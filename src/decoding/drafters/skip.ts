import { type DraftGraph, planGraph } from '../../engine/draft-graph.js';
import { createDraftExit, type DraftExitState } from '../draft-exit.js';
import type { DraftContext, Drafter } from '../drafter.js';
import { createDraftBudget, createFallback, type DraftBudget } from '../fallback.js';
import { builtInHead, columnCount, tokenOf } from '../head-tokens.js';
import { topProbability } from '../sampling/greedy.js';
import { createAddedWords } from './added-words.js';
import type { DrafterKind, DraftSettings, SkipDrafting } from './kind.js';

/** Self-speculative drafting. */
export type SkipMethod = { readonly name: 'skip' } & SkipDrafting;

/** Self-speculative drafting (Zhang et al. 2023, section 3): the model itself with sublayers skipped. */
export const skip: DrafterKind<SkipMethod, DraftBudget> = {
  name: 'skip',
  label: 'Self-speculative decoding',
  needsMask: true,
  inProfiles: true,
  create: (settings) => ({ name: 'skip', ...draftingOf(settings) }),
  longest: ({ draftLength }) => draftLength,
  draftGraph: ({ plan }, model) => planGraph(plan, model),
  createMemory: ({ fallback }) => createDraftBudget(fallback),
  open: openSkipDrafter,
};

/**
 * The drafter of a plan over one generation, with the fall-back where there are costs for it.
 * @throws InputError for a draft length or draft exit out of range.
 */
export async function openSkipDrafter(
  { plan, draftLength, exit, fallback }: SkipDrafting,
  budget: DraftBudget,
  context: DraftContext,
): Promise<Drafter> {
  const state = createDraftExit(exit, draftLength);
  const graph = planGraph(plan, context.engine.model);
  const always = context.recorded ?? (await openGraphDrafter(graph, draftLength, state, context));
  return fallback ? createFallback(always, fallback, budget) : always;
}

/**
 * Drafts with passes of a graph, one token each, until the exit rule ends them.
 * @param exit the rule over this generation.
 */
export async function openGraphDrafter(
  graph: DraftGraph,
  draftLength: number,
  exit: DraftExitState,
  { engine: target, cache, coupling, eos }: DraftContext,
): Promise<Drafter> {
  const { vocabSize } = target.config;
  let head = builtInHead(graph.headTokens);
  let choose = coupling.draftFrom(head);
  const lease = await target.draft(graph);
  const { engine, release } = lease;
  cache.watch(graph.memories);
  let { gates } = lease;
  const input = [0];
  const { headTokens } = graph;
  const words = engine.headRows && headTokens && createAddedWords(headTokens, engine.headRows);
  const addWords = async () => {
    const feeds = await words?.refresh();
    if (!words || !feeds) return;
    head = words.head;
    choose = coupling.draftFrom(head);
    gates = { ...gates, feeds: { ...gates.feeds, ...feeds } };
  };
  return {
    longest: draftLength,
    keep: (tokens) => words?.add(tokens),
    async propose(draft, last, position, limit) {
      await addWords();
      let token = last;
      while (draft.length < limit) {
        input[0] = token;
        const place = draft.length;
        const logits = await engine.forward(cache, input, position + place, gates, 'last');
        const column = choose(logits, position + place + 1, place);
        token = tokenOf(head, column);
        draft.passes++;
        draft.tokens[place] = token;
        const confidence = topProbability(logits, 0, columnCount(head, vocabSize), logits[column]!);
        draft.confidences[place] = confidence;
        draft.length++;
        if (eos.has(token) || exit.shouldStop(draft.length, confidence)) return;
      }
    },
    verified: (drafted, accepted) => exit.afterVerify(drafted, accepted),
    close() {
      cache.watch([]);
      return release();
    },
  };
}

/** The plan's part of the settings. */
export function draftingOf({ drafting }: DraftSettings): SkipDrafting {
  if (!drafting) throw new TypeError('the method needs a plan');
  return drafting;
}
