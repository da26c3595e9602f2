/**
 * The first rungs of the fidelity `ladder` (run.ts has the words): a mask is scored by replaying the target's own continuations
 * with its draft, bridges over its runs of skipped sublayers (the longest with a memory), simulating every draft-length rule with
 * every size of the draft's head on what that shows, and pricing the rounds with a cost model that was calibrated once. The cascade
 * is simulated with the best of these rules. The score is the best predicted speedup, of drafts alone or of the cascade.
 */
import { createCoupling } from '../decoding/coupling.js';
import { closeAll } from '../engine/all-or-none.js';
import { planGraph } from '../engine/draft-graph.js';
import type { Engine } from '../engine/engine.js';
import { once } from '../engine/once.js';
import type { ReplayInputs } from '../engine/replay-inputs.js';
import { InputError } from '../errors.js';
import type { EvaluationPrompt, EvaluationSettings } from '../evaluation/run.js';
import type { SearchedRule } from '../optimise/candidate.js';
import type { Bridge, DraftPlan, SkippedRun } from '../profile/draft-plan.js';
import { bitsToMask } from '../profile/mask.js';
import { bridgeChoices } from './bridges/choices.js';
import { createBridgeFitter } from './bridges/fit.js';
import { statePasses } from './bridges/passes.js';
import { hiddenStates, stateRows } from './bridges/states.js';
import type { Calibration } from './cost/calibrate.js';
import { type DraftPrices, priceDraft } from './cost/cost-model.js';
import { draftShape } from './cost/draft-shape.js';
import { type PriceFactors, timePlan } from './cost/time-plan.js';
import { chooseFitted, withinMemory } from './fitted-texts.js';
import type { KeptContinuations } from './kept-continuations.js';
import { MemorySource } from './replay/memories.js';
import { type ReplayRecord, replayDraft } from './replay/records.js';
import { makeReference, type Reference } from './replay/reference.js';
import { bestPlan, type ReplayedPlan, scoredTrial } from './scored-plan.js';
import type { Scorer } from './scorer.js';
import { headChoices, rankWords } from './words.js';

/** The rule that proposals carry before their score has found a better one. */
const unsearchedRule: SearchedRule = { exit: 'fixed', draftLength: 4, threshold: 0 };

/** A whole head that multiplies the price of a pass by more, beside one of half of the words or less, cannot pay: it is right on a few in a hundred more. */
const dearHead = 1.15;

/** Texts that {@link Ladder.roughBridge} is fitted to. */
const roughTexts = 16;

/** The ladder's first rung, and what else it can tell of a candidate. */
export interface Ladder extends Scorer {
  /**
   * What replay on all prompts shows of a mask: a plan for each size of the head, with bridges of which the longest has a memory,
   * and, where it may pay, without that, and without bridges.
   */
  replay(mask: Uint8Array): Promise<ReplayedPlan[]>;
  /** The same on the prompts that {@link Scorer.score} uses. */
  replayScored(mask: Uint8Array): Promise<ReplayedPlan[]>;
  /** What replay on all prompts shows of one plan. */
  replayPlan(plan: DraftPlan): Promise<ReplayedPlan>;
  /** How much more than predicted a plan's own rounds cost. */
  timePlan(plan: DraftPlan): Promise<PriceFactors>;
  /** The bridge without memory over a run of skipped sublayers. */
  bridge(run: SkippedRun): Promise<Bridge>;
  /** The same fitted to few texts, for who looks at very many runs. */
  roughBridge(run: SkippedRun): Promise<Bridge>;
  /** What another machine needs to score alike. */
  readonly basis: ScoringBasis;
}

/** On what a ladder scores. */
export interface ScoringBasis {
  /** How many prompts its scores are of, those included that end with their first token. */
  readonly prompts: number;
  /** Token ids of the prompts whose continuations bridges are fitted to. */
  readonly fitted: readonly (readonly number[])[];
  /** Where drafts are priced, in positions of context. */
  readonly position: number;
  /** Whether bridges may have a memory. */
  readonly memory: boolean;
}

/** What a ladder is made from. */
export interface LadderRequest {
  readonly engine: Engine;
  readonly calibration: Pick<Calibration, 'model'>;
  readonly prompts: readonly EvaluationPrompt[];
  /** Prompts that {@link Scorer.score} uses: the first of `prompts`. */
  readonly promptsPerTrial: number;
  /** Prompts whose texts bridges are fitted to; where there are few, those of `prompts` that trials are not scored on. */
  readonly fitting: readonly EvaluationPrompt[];
  readonly settings: EvaluationSettings;
  readonly signal?: AbortSignal | undefined;
  /**
   * Of another ladder, to score as it does: where drafts are priced, and whether bridges may have a memory.
   * Bridges are then fitted to all of `fitting`. Default: the mean place of the continuations.
   */
  readonly basis?: Pick<ScoringBasis, 'position' | 'memory'>;
  /** Continuations that were made before, and where new ones go. */
  readonly kept?: KeptContinuations;
  /** Told as the target's continuations are made, then as its hidden states are. */
  readonly report?: (stage: 'references' | 'states', done: number, total: number) => void;
}

/** Makes the target's continuations of all prompts, and a scorer over them. */
export async function createLadder(request: LadderRequest): Promise<Ladder> {
  const { engine, prompts, settings, kept, signal, report = () => {} } = request;
  const all = [...prompts, ...withinMemory(request.fitting, engine.config, settings.maxNewTokens)];
  const made: (Reference | null)[] = [];
  for (const [i, prompt] of all.entries()) {
    signal?.throwIfAborted();
    const known = kept?.find(prompt.tokens);
    const reference = await makeReference(engine, prompt.tokens, settings, i, known);
    made.push(reference);
    if (!known) await kept?.keep(prompt.tokens, reference?.tokens ?? []);
    report('references', i + 1, all.length);
  }
  await kept?.finish();
  const references = made.slice(0, prompts.length).filter((reference) => reference !== null);
  if (references.length === 0) {
    throw new InputError(
      'The model ends its answer to every calibration prompt with the first token: there is nothing to draft.',
    );
  }
  const others = made.slice(prompts.length).filter((reference) => reference !== null);
  const { fitted, mayRemember } = request.basis
    ? { fitted: others, mayRemember: request.basis.memory }
    : chooseFitted(references, others, request.promptsPerTrial);
  const passes = statePasses(engine, fitted, stateRows(engine.config));
  const { states, remembered } = await lookInside(
    engine,
    passes,
    mayRemember ? references : [],
    (done, total) => {
      signal?.throwIfAborted();
      report('states', done, total);
    },
  );
  const { vocabSize } = engine.config;
  const coupling = createCoupling(settings.coupling, settings.sampling, vocabSize, 1);
  const fitter = await createBridgeFitter(engine, states, passes);
  const roughFitter = once(() => createBridgeFitter(engine, states, passes.slice(0, roughTexts)));
  // Loaded when first needed: what samplers begin from is worked out before, in a session of its own with all weights.
  const drafts = once(() => engine.loadGatedDrafts());
  const position = request.basis?.position ?? meanPosition(references);
  const texts = fitted.map(({ prompt, tokens }) => [...prompt, ...tokens]);
  const heads = headChoices(rankWords(vocabSize, texts));

  const pricesOf = (plan: DraftPlan): DraftPrices => {
    const shape = draftShape(planGraph(plan, engine.model), engine.config);
    return priceDraft(request.calibration.model, shape, position);
  };
  /** The heads that may pay with a draft: the whole one, the last, does not where it makes passes so much dearer. */
  const worthwhile = (plan: Omit<DraftPlan, 'words'>): typeof heads => {
    const [pass, whole] = [heads.at(-2) ?? null, null].map(
      (words) => pricesOf({ ...plan, words }).pass,
    );
    return whole! > dearHead * pass! ? heads.slice(0, -1) : heads;
  };
  const replayHeads = async (
    { mask, bridges }: Pick<DraftPlan, 'mask' | 'bridges'>,
    heads: readonly DraftPlan['words'][],
    count: number,
  ): Promise<ReplayedPlan[]> => {
    const gated = await drafts.get();
    const gates = gated.gates(mask, bridges);
    const records: ReplayRecord[][] = heads.map(() => []);
    for (const reference of references.slice(0, count)) {
      signal?.throwIfAborted();
      const memories = await remembered.of(reference, bridges);
      const replayed = await replayDraft(gated, reference, gates, coupling, heads, memories);
      for (const [i, record] of replayed.entries()) records[i]!.push(record);
    }
    return heads.map((words, i) => {
      const plan = { mask, bridges, words };
      return { plan, records: records[i]!, prices: pricesOf(plan) };
    });
  };
  const replay = async (bits: Uint8Array, count: number): Promise<ReplayedPlan[]> => {
    const mask = bitsToMask(bits);
    const [best, ...cheaper] = await bridgeChoices(fitter, bits, mayRemember);
    const tried = worthwhile({ mask, bridges: best!.bridges });
    const replayed = await replayHeads({ mask, bridges: best!.bridges }, tried, count);
    // With less a pass is a little cheaper, which matters where it hardly helps; some prompts tell whether it does.
    const few = Math.ceil(count / 4);
    const right = ({ records }: ReplayedPlan) => rightTokens(records.slice(0, few));
    const most = right(replayed.at(-1)!);
    for (const { bridges, closeEnough } of cheaper) {
      const [trial] = await replayHeads({ mask, bridges }, tried.slice(-1), few);
      if (right(trial!) >= closeEnough * most)
        replayed.push(...(await replayHeads({ mask, bridges }, tried, count)));
    }
    return replayed;
  };
  return {
    draft: unsearchedRule,
    async score({ mask }) {
      return scoredTrial(mask, await bestPlan(await replay(mask, request.promptsPerTrial)));
    },
    replay: (mask) => replay(mask, references.length),
    replayScored: (mask) => replay(mask, request.promptsPerTrial),
    async replayPlan(plan) {
      const [replayed] = await replayHeads(plan, [plan.words], references.length);
      return replayed!;
    },
    timePlan: (plan) =>
      timePlan(
        { engine, prompts: prompts.map(({ tokens }) => tokens), settings, seed: 0, signal },
        request.calibration.model,
        plan,
      ),
    bridge: ({ from, to }) => fitter.fit({ from, to }, { memory: false }),
    roughBridge: async (run) => (await roughFitter.get()).fit(run, { memory: false }),
    basis: {
      prompts: scoredCount(made.slice(0, prompts.length), request.promptsPerTrial),
      fitted: fitted.map(({ prompt }) => prompt),
      position,
      memory: mayRemember,
    },
    close: () => closeAll([drafts, roughFitter, fitter, remembered]),
  };
}

/** The full model's hidden states: of what bridges are fitted to, and of what memories see in the references. */
async function lookInside(
  engine: Engine,
  passes: readonly ReplayInputs[],
  references: readonly Reference[],
  onProgress: (done: number, total: number) => void,
) {
  const gated = await engine.loadGated();
  try {
    const states = await hiddenStates(gated, passes, onProgress);
    return { states, remembered: await MemorySource.load(engine, gated, references) };
  } finally {
    await gated.close();
  }
}

/** Places where a draft proposes the target's token. */
function rightTokens(records: readonly ReplayRecord[]): number {
  return records.reduce((sum, { match }) => sum + match.reduce((own, one) => own + one, 0), 0);
}

/** How many of the prompts it takes for so many of them to be scored. */
function scoredCount(made: readonly (Reference | null)[], scored: number): number {
  let left = scored;
  const last = made.findIndex((reference) => reference !== null && --left === 0);
  return last < 0 ? made.length : last + 1;
}

/** Where the places of all references lie on average. */
function meanPosition(references: readonly Reference[]): number {
  let sum = 0;
  let places = 0;
  for (const { position, tokens } of references) {
    const count = tokens.length - 1;
    sum += count * (position + (count - 1) / 2);
    places += count;
  }
  return sum / places;
}
