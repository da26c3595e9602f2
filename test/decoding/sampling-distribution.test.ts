import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Coupling,
  type CouplingName,
  createCoupling,
  NONE,
} from '../../src/decoding/coupling.js';
import { createDraftExit } from '../../src/decoding/draft-exit.js';
import type { DraftContext, Drafter } from '../../src/decoding/drafter.js';
import { openGraphDrafter } from '../../src/decoding/drafters/skip.js';
import { longestDraft, type Method, methodMemory } from '../../src/decoding/method.js';
import { decodeRounds } from '../../src/decoding/rounds.js';
import type { SamplingOptions } from '../../src/decoding/sampling/options.js';
import { skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import type { KvCache } from '../../src/engine/kv-cache.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { chiSquare, chiSquareLimit } from '../helpers/chi-square.js';
import { loadMiniature } from '../helpers/engine.js';
import {
  cells,
  enumerateLogits,
  jointDistribution,
  keyOf,
  type LogitTree,
} from '../helpers/exact-distribution.js';
import { randomTokens } from '../helpers/logits.js';
import { narrowHead } from '../helpers/narrow-head.js';
import { randomPlan } from '../helpers/plans.js';

/** Tokens of a generation that are looked at, together. */
const depth = 3;
const vocabSize = 32;
/** Long enough for most tokens to occur in it, so that prompt lookup finds something to propose. */
const prompt = randomTokens(24, vocabSize, 2);
/** Per setting and coupling; nine settings make 18,000 of each coupling. */
const seeds = 2000;

interface Setting {
  readonly method: Method;
  /** Tokens of the draft's head. Default: all. */
  readonly head?: readonly number[];
  readonly sampling: Omit<SamplingOptions, 'seed'>;
}
const settings: [string, Setting][] = [
  [
    'an attention skipped, K 2, fixed',
    {
      method: skip([1], [], 2, { exit: 'fixed' }),
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    },
  ],
  [
    'an MLP skipped, K 1, top-k',
    {
      method: skip([], [1], 1, { exit: 'fixed' }),
      sampling: { temperature: 1.3, topK: 6, topP: 1, minP: 0 },
    },
  ],
  [
    'a layer skipped, K 3, threshold, top-p',
    {
      method: skip([1], [1], 3, { exit: 'threshold', threshold: 0.4 }),
      sampling: { temperature: 1.2, topK: 0, topP: 0.9, minP: 0 },
    },
  ],
  [
    'the other MLP skipped, K 3, adaptive, min-p',
    {
      method: skip([], [0], 3, { exit: 'adaptive', threshold: 0.3 }),
      sampling: { temperature: 0.8, topK: 0, topP: 1, minP: 0.05 },
    },
  ],
  [
    'prompt lookup, all filters',
    {
      method: { name: 'lookup' },
      sampling: { temperature: 1.5, topK: 12, topP: 0.95, minP: 0.02 },
    },
  ],
  [
    'an attention skipped, K 2, a head over half of the tokens, top-p',
    {
      method: skip([1], [], 2, { exit: 'fixed' }),
      head: Array.from({ length: vocabSize / 2 }, (_, i) => 2 * i + 1),
      sampling: { temperature: 1.2, topK: 0, topP: 0.95, minP: 0 },
    },
  ],
  [
    'a bridge, K 2, a head over some words and those of the text, top-p',
    {
      method: {
        ...skip([1], [1], 2, { exit: 'fixed' }),
        plan: randomPlan(
          { attention: [1], mlp: [1] },
          { layers: 2, hiddenSize: 32, vocabSize },
          3,
          { gain: 0.2, every: 5 },
        ),
      },
      sampling: { temperature: 1.2, topK: 0, topP: 0.95, minP: 0 },
    },
  ],
  [
    'a cascade, K 3, threshold, top-k',
    {
      method: {
        ...skip([1], [], 3, { exit: 'threshold', threshold: 0.4 }),
        name: 'cascade',
      },
      sampling: { temperature: 1, topK: 8, topP: 1, minP: 0 },
    },
  ],
  [
    'a cascade that knows costs, K 1, top-k',
    {
      method: {
        ...skip([1], [], 1, { exit: 'fixed' }),
        name: 'cascade',
        fallback: {
          ...{ draft: 0.1, verify: [1, 1.01, 1.02, 1.03], timePerToken: 0.7 },
          acceptance: { confidence: [0.5], probability: [0.8] },
          nextAcceptance: { confidence: [0.5], probability: [0.1] },
        },
      },
      sampling: { temperature: 1, topK: 8, topP: 1, minP: 0 },
    },
  ],
];

function skip(
  attention: number[],
  mlp: number[],
  draftLength: number,
  exit: Extract<Method, { name: 'skip' }>['exit'],
): Extract<Method, { name: 'skip' }> {
  return { name: 'skip', plan: skipPlan({ attention, mlp }), draftLength, exit };
}

let engine: Engine;
let cache: KvCache;
let tree: LogitTree;
beforeAll(async () => {
  const size = { layers: 2, hiddenSize: 32, heads: 2, kvHeads: 1, vocabSize, contextLength: 64 };
  engine = await loadMiniature({ ...size, innerScale: 0.5 }, 'fp32', 1);
  cache = engine.createCache(64);
  tree = await enumerateLogits(engine, prompt, depth);
});
afterAll(() => engine.close());

/** How often each triple came out, and how often its tokens were of each kind. */
interface Observed {
  readonly triples: Map<string, number>;
  readonly kinds: { accepted: number; corrected: number; bonus: number };
}

/** Decodes once for each seed; `check` sees each triple. */
async function observe(
  setting: Setting,
  count: number,
  couplingOf: (sampling: SamplingOptions, longest: number) => Coupling,
  options: {
    readonly drafterOf?: (drafter: Drafter) => Drafter;
    readonly check?: (triple: number[], sampling: SamplingOptions) => void;
  } = {},
): Promise<Observed> {
  const { method, sampling } = setting;
  const triples = new Map<string, number>();
  const kinds = { accepted: 0, corrected: 0, bonus: 0 };
  const eos = new Set<number>();
  for (let seed = 0; seed < count; seed++) {
    const seeded = { ...sampling, seed };
    const coupling = couplingOf(seeded, longestDraft(method));
    const usual = await open(setting, { engine, cache, coupling, eos });
    const drafter = options.drafterOf?.(usual) ?? usual;
    const tokens: number[] = [];
    const request = { engine, cache, prompt, maxNewTokens: 5, drafter, coupling, eos };
    for await (const round of decodeRounds(request)) {
      const seen = Math.min(round.tokens.length, depth - tokens.length);
      kinds.accepted += Math.min(round.accepted, seen);
      if (round.drafted.length > 0 && seen > round.accepted) {
        kinds[round.accepted < round.drafted.length ? 'corrected' : 'bonus']++;
      }
      tokens.push(...round.tokens.slice(0, seen));
      if (tokens.length === depth) break;
    }
    await usual.close();
    triples.set(keyOf(tokens), (triples.get(keyOf(tokens)) ?? 0) + 1);
    options.check?.(tokens, seeded);
  }
  return { triples, kinds };
}

async function open({ method, head }: Setting, context: DraftContext): Promise<Drafter> {
  if (!head || method.name !== 'skip') return (await methodMemory(method).open(context))!;
  const { plan, draftLength, exit } = method;
  const graph = narrowHead(skipGraph(plan.mask), head);
  return openGraphDrafter(graph, draftLength, createDraftExit(exit, draftLength), context);
}

/** The test's statistic over its limit: above 1 the triples do not come from the target's distribution. */
function departure({ sampling }: Setting, { triples }: Observed): number {
  const joint = jointDistribution(tree, { ...sampling, seed: 0 }, depth);
  const { counts, probabilities } = cells(joint, triples);
  expect(counts.length).toBeGreaterThan(20);
  return chiSquare(counts, probabilities) / chiSquareLimit(counts.length - 2);
}

/** Every kind of token was among the triples; with K 2 a bonus token comes after them. */
function expectKinds({ method }: Setting, { kinds }: Observed): void {
  expect(kinds.accepted).toBeGreaterThan(seeds / 100);
  expect(kinds.corrected).toBeGreaterThan(seeds / 100);
  if (method.name === 'skip' && method.draftLength !== 2) {
    expect(kinds.bonus).toBeGreaterThan(seeds / 100);
  }
}

const named = (name: CouplingName) => (sampling: SamplingOptions, longest: number) =>
  createCoupling(name, sampling, vocabSize, longest);

describe.each(settings)('tokens are distributed as the target wants them: %s', (_name, setting) => {
  it('gumbel coupling, and each seed gives its autoregressive tokens', async () => {
    const check = (triple: number[], sampling: SamplingOptions) => {
      const autoregressive: number[] = [];
      const alone = named('gumbel')(sampling, 0);
      while (autoregressive.length < depth) {
        const logits = tree.get(keyOf(autoregressive))!;
        const position = prompt.length + autoregressive.length;
        autoregressive.push(alone.verify(logits, 0, position, 0, NONE));
      }
      expect(triple).toEqual(autoregressive);
    };
    const observed = await observe(setting, seeds, named('gumbel'), { check });
    expect(departure(setting, observed)).toBeLessThan(1);
    expectKinds(setting, observed);
  });

  it('maximal coupling', async () => {
    const observed = await observe(setting, seeds, named('maximal'));
    expect(departure(setting, observed)).toBeLessThan(1);
    expectKinds(setting, observed);
  });
});

// Mistakes that were made elsewhere: the test above must be able to see them.
describe('the test finds out', () => {
  it('a coupling that accepts every draft token', async () => {
    const setting = settings[0]![1];
    const observed = await observe(setting, seeds / 2, (sampling, longest) => {
      const right = named('maximal')(sampling, longest);
      return {
        ...right,
        verify: (logits, offset, position, index, proposed) =>
          proposed === NONE ? right.verify(logits, offset, position, index, NONE) : proposed,
      };
    });
    expect(departure(setting, observed)).toBeGreaterThan(1);
  });

  it('a rejection that draws from the target and not from the rest of it', async () => {
    const setting = settings[0]![1];
    const observed = await observe(setting, seeds, (sampling, longest) => {
      const right = named('maximal')(sampling, longest);
      return {
        ...right,
        verify(logits, offset, position, index, proposed) {
          const token = right.verify(logits, offset, position, index, proposed);
          return token === proposed ? token : right.verify(logits, offset, position, index, NONE);
        },
      };
    });
    expect(departure(setting, observed)).toBeGreaterThan(1);
  });

  it('an exit rule that drops the token that it was not sure of', async () => {
    const setting: Setting = {
      method: skip([1], [], 2, { exit: 'threshold', threshold: 0.3 }),
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    };
    const drafterOf = (usual: Drafter): Drafter => ({
      ...usual,
      async propose(draft, last, position, limit) {
        await usual.propose(draft, last, position, limit);
        if (draft.length > 0 && draft.confidences[draft.length - 1]! < 0.3) draft.length--;
      },
    });
    const observed = await observe(setting, seeds, named('maximal'), { drafterOf });
    expect(departure(setting, observed)).toBeGreaterThan(1);
  });
});
