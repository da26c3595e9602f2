/**
 * The plan of the audit: case number c is a prompt, a way of sampling and a list of methods, all drawn from (seed, c), so an
 * audit that was interrupted goes on with the same plan.
 *
 * A case has one autoregressive output and many methods that are held against it. The methods of a case draft with two masks,
 * each with every exit rule.
 */
import type { DraftExit } from '../../src/decoding/draft-exit.js';
import type { Method } from '../../src/decoding/method.js';
import { GREEDY, type SamplingOptions } from '../../src/decoding/sampling/options.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { bitsToMask, type SkipMask } from '../../src/profile/mask.js';
import { Random } from '../../src/random.js';
import { promptOfLength } from './prompt-length.js';

/** Prompts of one kind, as token ids. */
export interface PromptSource {
  readonly name: string;
  readonly prompts: readonly { readonly id: string; readonly tokens: readonly number[] }[];
}

/** What the plan must know of a model. */
export interface PlannedModel {
  readonly layers: number;
  readonly contextLength: number;
  readonly sources: readonly PromptSource[];
}

export interface AuditCase {
  readonly index: number;
  readonly dataset: string;
  readonly promptId: string;
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly ignoreEos: boolean;
  /** Greedy, or with Gumbel coupling: with maximal coupling outputs need not be the same. */
  readonly sampling: SamplingOptions;
  readonly methods: readonly Method[];
}

/** Seed of the plan. */
export const AUDIT_SEED = 0;
/** Cases in a row that run on one session; loading one takes as long as a few hundred tokens. */
export const STRETCH_CASES = 2;

/** K of the paper's longest drafts. */
const longestDraft = 12;
const masksPerCase = 2;
/** From this share of skipped sublayers on hardly a draft is right: long ones would take the time and test nothing more. */
const heavy = 0.5;
const longestHeavyDraft = 4;
/** Tokens after which a longer continuation tests nothing new: every place of many K/V blocks has been visited. */
export const LONGEST_OUTPUT = 384;

type RuleMaker = (random: Random, draftLength: number) => DraftExit;

/** Every exit rule there is; the type keeps the list complete. */
const exitRules: { readonly [name in DraftExit['exit']]: RuleMaker } = {
  fixed: () => ({ exit: 'fixed' }),
  threshold: (random) => ({ exit: 'threshold', threshold: random.uniform() }),
  adaptive: (random) => ({ exit: 'adaptive', threshold: random.uniform() }),
  cost: (random, draftLength) => ({ exit: 'cost', costs: randomCosts(random, draftLength) }),
};

/** Case `index` of a plan. @param longest most new tokens of an output. */
export function planCase(
  seed: number,
  index: number,
  model: PlannedModel,
  longest = LONGEST_OUTPUT,
): AuditCase {
  const random = new Random(seed, index);
  const { prompt, ...where } = drawPrompt(random, model);
  const room = Math.min(longest, model.contextLength - prompt.length);
  // Long continuations pay for one prefill with many comparisons; short ones end anywhere in a block.
  const maxNewTokens = random.uniform() < 0.75 ? room : 1 + random.integer(room);
  return {
    index,
    ...where,
    prompt,
    maxNewTokens,
    ignoreEos: random.uniform() < 0.75,
    sampling: drawSampling(random),
    methods: drawMethods(random, model.layers),
  };
}

/** A prompt as it is, a few tokens, or a context that is half to nearly full. */
function drawPrompt(random: Random, { sources, contextLength }: PlannedModel) {
  const source = sources[random.integer(sources.length)];
  const index = random.integer(source.prompts.length);
  const { id, tokens } = source.prompts[index];
  const kind = random.uniform();
  const own = Math.min(tokens.length, Math.floor(contextLength * 0.9));
  const length =
    kind < 0.6
      ? own
      : kind < 0.8
        ? 1 + random.integer(32)
        : Math.floor(contextLength * (0.5 + 0.48 * random.uniform()));
  const all = source.prompts.map((prompt) => prompt.tokens);
  return { dataset: source.name, promptId: id, prompt: promptOfLength(all, index, length) };
}

function drawSampling(random: Random): SamplingOptions {
  if (random.uniform() < 0.4) return GREEDY;
  return {
    temperature: 0.3 + random.uniform(),
    topK: random.uniform() < 0.3 ? 1 + random.integer(50) : 0,
    topP: random.uniform() < 0.4 ? 0.5 + 0.5 * random.uniform() : 1,
    minP: random.uniform() < 0.3 ? 0.1 * random.uniform() : 0,
    seed: random.integer(2 ** 31),
  };
}

function drawMethods(random: Random, layers: number): Method[] {
  const methods: Method[] = [{ name: 'lookup' }];
  for (let i = 0; i < masksPerCase; i++) {
    // Mostly light masks, whose drafts are accepted often, and some of every weight up to all sublayers.
    const share = random.uniform() < 0.85 ? 0.6 * random.uniform() ** 2 : random.uniform();
    const mask = drawMask(random, layers, share);
    const longest = share < heavy ? longestDraft : longestHeavyDraft;
    for (const rule of Object.values(exitRules)) {
      const draftLength = 1 + random.integer(longest);
      const name = random.uniform() < 0.3 ? 'cascade' : 'skip';
      const exit = rule(random, draftLength);
      const pauses = random.uniform() < 0.3;
      const fallback = pauses ? { fallback: randomCosts(random, draftLength) } : {};
      methods.push({ name, plan: skipPlan(mask), draftLength, exit, ...fallback });
    }
  }
  return methods;
}

function drawMask(random: Random, layers: number, share: number): SkipMask {
  return bitsToMask(
    Uint8Array.from({ length: 2 * layers }, () => (random.uniform() < share ? 1 : 0)),
  );
}

/** Costs and acceptance curves of no real mask: whatever a profile says, outputs must be the same. */
function randomCosts(random: Random, draftLength: number) {
  const verify = [1];
  for (let n = 1; n <= draftLength; n++) verify.push(verify[n - 1] + 0.4 * random.uniform());
  return {
    draft: 0.1 + 0.8 * random.uniform(),
    verify,
    timePerToken: 0.4 + 0.8 * random.uniform(),
    acceptance: randomCurve(random),
    nextAcceptance: randomCurve(random),
  };
}

function randomCurve(random: Random) {
  const low = 0.05 + 0.6 * random.uniform();
  const high = low + (0.98 - low) * random.uniform();
  return { confidence: [0.1, 0.5, 0.9], probability: [low, (low + high) / 2, high] };
}
