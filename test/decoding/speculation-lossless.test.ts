import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import type { DraftExit } from '../../src/decoding/draft-exit.js';
import type { SkipDrafting } from '../../src/decoding/drafters/kind.js';
import { complete, generate } from '../../src/decoding/generate.js';
import { type Method, methodMemory } from '../../src/decoding/method.js';
import type { Round } from '../../src/decoding/rounds.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { addRound, emptyStatistics } from '../../src/decoding/statistics.js';
import type { Engine } from '../../src/engine/engine.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomMask, randomTokens } from '../helpers/logits.js';
import { uniforms } from '../helpers/random.js';

const size = { vocabSize: 40, contextLength: 128, layers: 3 };
const K = 6;

let engine: Engine;
beforeAll(async () => {
  // Gated: many masks, no session for each.
  engine = await loadMiniature(size, 'fp32', 1, 'gated');
});
afterAll(() => engine.close());

const curve = { confidence: [0.1, 0.9], probability: [0.3, 0.95] };
/** Costs of a draft that gains, or that loses and falls back. */
const costs = (gains: boolean): ExitCosts => ({
  draft: gains ? 0.2 : 0.8,
  verify: [1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3],
  timePerToken: gains ? 0.5 : 1.2,
  acceptance: curve,
  nextAcceptance: curve,
});

/** Half of it a loop, so that prompt lookup has something to find. */
function promptOf(seed: number): number[] {
  const loop = randomTokens(5, size.vocabSize, seed);
  return [...randomTokens(12, size.vocabSize, seed + 1), ...loop, ...loop, ...loop.slice(0, 3)];
}

async function roundsOf(prompt: number[], method: Method, maxNewTokens = 60): Promise<Round[]> {
  const rounds: Round[] = [];
  for await (const { round } of generate(engine, { prompt, method, maxNewTokens, ignoreEos: true }))
    if (round) rounds.push(round);
  return rounds;
}

describe.each([
  ['greedy', GREEDY],
  ['Gumbel', { ...GREEDY, temperature: 0.9, topK: 12 }],
  ['Gumbel, top-p and min-p', { ...GREEDY, temperature: 1.2, topP: 0.9, minP: 0.02 }],
])('%s: the output is that of autoregressive decoding', (_name, base) => {
  it.each<['skip' | 'cascade', string, DraftExit, boolean | null]>([
    ['skip', 'the cost rule', { exit: 'cost', costs: costs(true) }, null],
    ['skip', 'the cost rule and a fall-back', { exit: 'cost', costs: costs(false) }, false],
    ['skip', 'adaptive with a fall-back', { exit: 'adaptive', threshold: 0.6 }, false],
    ['skip', 'a fall-back that does not set in', { exit: 'fixed' }, true],
    ['cascade', 'lookup, then drafts of a fixed length', { exit: 'fixed' }, null],
    ['cascade', 'lookup, then adaptive drafts', { exit: 'adaptive', threshold: 0.6 }, null],
    ['cascade', 'drafts of a fixed length and a fall-back', { exit: 'fixed' }, false],
    ['cascade', 'the cost rule and a fall-back', { exit: 'cost', costs: costs(false) }, false],
    ['cascade', 'a threshold and a fall-back', { exit: 'threshold', threshold: 0.4 }, false],
    [
      'cascade',
      'the cost rule and a fall-back that does not set in',
      { exit: 'cost', costs: costs(true) },
      true,
    ],
  ])('%s, %s', async (name, _what, exit, gains) => {
    const random = uniforms(name.length);
    const totals = emptyStatistics();
    for (let seed = 0; seed < 12; seed++) {
      const sampling = { ...base, seed };
      const prompt = promptOf(seed);
      const request = { prompt, sampling, maxNewTokens: 40 + seed, ignoreEos: seed % 2 === 0 };
      const drafting: SkipDrafting = {
        plan: skipPlan(randomMask(size.layers, seed, 0.6 * random())),
        draftLength: 1 + (seed % K),
        exit,
        ...(gains === null ? {} : { fallback: costs(gains) }),
      };
      const plain = await complete(engine, request);
      const made = await complete(engine, { ...request, method: { name, ...drafting } });
      expect(made.tokens, `seed ${seed}`).toEqual(plain.tokens);
      expect(made.finishReason).toBe(plain.finishReason);
      totals.acceptedTokens += made.statistics.acceptedTokens;
      totals.proposedTokens += made.statistics.proposedTokens;
    }
    expect(totals.acceptedTokens).toBeGreaterThan(20);
    // Drafts that fall back at once may have been right until then.
    if (gains !== false) expect(totals.proposedTokens).toBeGreaterThan(totals.acceptedTokens);
  });
});

describe('cascade', () => {
  const drafting: SkipDrafting = {
    plan: skipPlan({ attention: [1], mlp: [] }),
    draftLength: 4,
    exit: { exit: 'threshold', threshold: 0.9 },
  };

  it('drafts with both, up to K tokens; lookup costs no draft pass', async () => {
    const statistics = emptyStatistics();
    const kinds = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      for (const round of await roundsOf(promptOf(seed), { name: 'cascade', ...drafting })) {
        addRound(statistics, round);
        expect(round.drafted.length).toBeLessThanOrEqual(4);
        const { length } = round.drafted;
        if (length === 0) continue;
        // A draft is one drafter's: no pass for it, or one for each token.
        expect([0, length]).toContain(round.draftPasses);
        if (round.draftPasses === 0) expect(round.confidences).toEqual(new Array(length).fill(1));
        // The exit rule is for drafts with the mask: all but the last token are sure.
        else expect(round.confidences.slice(0, -1).every((q) => q >= 0.9)).toBe(true);
        kinds.add(round.draftPasses === 0 ? 'lookup' : 'skip');
      }
    }
    expect([...kinds].sort()).toEqual(['lookup', 'skip']);
    expect(statistics.draftPasses).toBeLessThan(statistics.proposedTokens);
  });
});

describe('a cascade that knows costs', () => {
  const method: Method = {
    name: 'cascade',
    plan: skipPlan({ attention: [1], mlp: [] }),
    draftLength: 4,
    exit: { exit: 'fixed' },
    fallback: costs(true),
  };
  const decode = async () => {
    const memory = methodMemory(method);
    const rounds = [];
    for (let seed = 0; seed < 8; seed++) {
      const request = { prompt: promptOf(seed), method, memory, maxNewTokens: 60, ignoreEos: true };
      for await (const { round } of generate(engine, request)) if (round) rounds.push(round);
    }
    return rounds.map(({ drafted, draftPasses, accepted }) => ({ drafted, draftPasses, accepted }));
  };

  it('begins with either, and goes on with a draft by what is looked up', async () => {
    const rounds = await decode();
    const some = rounds.filter(({ drafted }) => drafted.length > 0);
    for (const { drafted, draftPasses } of some) {
      expect(drafted.length).toBeLessThanOrEqual(10);
      expect(draftPasses).toBeLessThanOrEqual(Math.min(4, drafted.length));
    }
    expect(some.some(({ draftPasses }) => draftPasses === 0)).toBe(true);
    expect(some.some(({ drafted, draftPasses }) => draftPasses === drafted.length)).toBe(true);
    const mixed = some.filter(
      ({ drafted, draftPasses }) => draftPasses > 0 && draftPasses < drafted.length,
    );
    // Of what was looked up after a draft, some is right.
    expect(mixed.some(({ accepted, draftPasses }) => accepted > draftPasses)).toBe(true);
  });

  it('drafts the same again for the same requests', async () => {
    expect(await decode()).toEqual(await decode());
  });
});

it('a losing draft pauses, and the pauses have no draft pass', async () => {
  // Everything skipped: hardly ever right.
  const layers = [0, 1, 2];
  const drafting: SkipDrafting = {
    plan: skipPlan({ attention: layers, mlp: layers }),
    draftLength: 4,
    exit: { exit: 'fixed' },
  };
  const passes = async (fallback: boolean) => {
    const method: Method = {
      name: 'skip',
      ...drafting,
      ...(fallback ? { fallback: costs(false) } : {}),
    };
    const rounds = await roundsOf(promptOf(3), method, 80);
    return rounds.reduce((sum, { draftPasses }) => sum + draftPasses, 0);
  };
  expect(await passes(true)).toBeLessThan((await passes(false)) / 2);
});
