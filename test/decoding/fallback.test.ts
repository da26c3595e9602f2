import { describe, expect, it } from 'vitest';
import type { Draft, Drafter } from '../../src/decoding/drafter.js';
import { createCascade } from '../../src/decoding/drafters/cascade.js';
import { createDraftBudget, createFallback } from '../../src/decoding/fallback.js';
import { createTimePerToken, roundCost } from '../../src/decoding/round-costs.js';

/** A draft of two tokens costs 1.8 in all: it gains where one of them is accepted, and loses where none is. */
const costs = { draft: 0.3, verify: [1, 1.1, 1.2], timePerToken: 0.8 };

/** A drafter that proposes as many tokens as it is told to, and what it hears. */
function drafting(length: number, longest = length) {
  const heard: [number, number][] = [];
  const kept: number[] = [];
  const state = { length, closed: 0 };
  const drafter: Drafter = {
    longest,
    keep: (tokens) => void kept.push(...tokens),
    async propose(draft, _last, _position, limit) {
      draft.length = Math.min(limit, state.length);
    },
    verified: (drafted, accepted) => void heard.push([drafted, accepted]),
    close: async () => void state.closed++,
  };
  return { drafter, heard, kept, state };
}

/** Plays rounds as rounds.ts does; `accept` says how many of a draft are accepted. Returns the drafted counts by position. */
async function play(drafter: Drafter, tokens: number, accept: (position: number) => number) {
  const draft: Draft = {
    length: 0,
    tokens: new Int32Array(8),
    confidences: new Float64Array(8),
    passes: 0,
  };
  const rounds: { position: number; drafted: number }[] = [];
  drafter.keep([7]);
  for (let position = 100; position < 100 + tokens; ) {
    draft.length = 0;
    await drafter.propose(draft, 0, position, 8);
    const accepted = Math.min(accept(position), draft.length);
    rounds.push({ position, drafted: draft.length });
    drafter.verified(draft.length, accepted);
    drafter.keep(new Array(accepted + 1).fill(0));
    position += accepted + 1;
  }
  return rounds;
}

/** Lengths of the runs of rounds with drafts and without, in turn. */
function runs(rounds: readonly { drafted: number }[]): number[] {
  const lengths: number[] = [];
  let last: boolean | undefined;
  for (const { drafted } of rounds) {
    const drafts = drafted > 0;
    if (drafts === last) lengths[lengths.length - 1]!++;
    else lengths.push(1);
    last = drafts;
  }
  return lengths;
}

/** What a run of rounds cost, in tokens of autoregressive decoding. */
function spent(rounds: readonly { drafted: number }[]): number {
  return rounds.reduce(
    (sum, { drafted }) => sum + (drafted === 0 ? 1 : roundCost(costs, drafted)),
    0,
  );
}

describe('fall-back', () => {
  it('never sets in while drafts gain', async () => {
    const { drafter, heard, kept } = drafting(2);
    const rounds = await play(createFallback(drafter, costs, createDraftBudget()), 300, () => 1);
    expect(runs(rounds)).toEqual([150]);
    expect(heard).toEqual(new Array(150).fill([2, 1]));
    expect(kept).toHaveLength(301);
  });

  it('over twenty generations of hopeless text loses at most 2%, and hears of everything', async () => {
    const budget = createDraftBudget();
    let tokens = 0;
    let cost = 0;
    for (let generation = 0; generation < 20; generation++) {
      const { drafter, heard, kept } = drafting(2);
      const rounds = await play(createFallback(drafter, costs, budget), 64, () => 0);
      expect(heard).toEqual(rounds.map(({ drafted }) => [drafted, 0]));
      expect(kept).toHaveLength(65);
      tokens += rounds.length;
      cost += spent(rounds);
    }
    expect(cost).toBeGreaterThan(tokens);
    expect(cost / tokens).toBeLessThan(1.02);
  });

  it('begins with less where the profile promises less', () => {
    const start = (timePerToken: number) => createDraftBudget({ timePerToken }).balance;
    expect(start(0.6)).toBe(createDraftBudget().balance);
    expect(start(0.9)).toBeLessThan(start(0.8));
    // Some rounds are always tried: the text at hand may be another than the search's.
    expect(start(1.2)).toBe(start(1));
    expect(start(1.2)).toBeGreaterThan(0);
  });

  it('a new budget begins each process: the first rounds try', async () => {
    const { drafter } = drafting(2);
    const rounds = await play(createFallback(drafter, costs, createDraftBudget()), 100, () => 0);
    const [first, pause] = runs(rounds);
    expect(first).toBeGreaterThanOrEqual(10);
    expect(pause).toBeGreaterThan(40);
  });

  it('finds text that turns easy, and may lose again what it gained there, up to a bound', async () => {
    const { drafter } = drafting(2);
    const hard = (position: number) => position < 500 || position >= 2000;
    const fallback = createFallback(drafter, costs, createDraftBudget());
    const rounds = await play(fallback, 4000, (p) => (hard(p) ? 0 : 2));
    const easy = rounds.filter(({ position }) => position >= 1200 && position < 2000);
    expect(easy.every(({ drafted }) => drafted === 2)).toBe(true);
    const after = rounds.filter(({ position }) => position >= 2000);
    expect(spent(after) - after.length).toBeLessThan(24 + 0.01 * 2100 + 1);
  });

  it('counts tokens that others emit in a pause', async () => {
    const lookup = drafting(0, 8);
    const skip = drafting(2);
    const budget = { balance: 0.5, paused: true };
    const cascade = createCascade(lookup.drafter, createFallback(skip.drafter, costs, budget));
    expect(cascade.longest).toBe(8);
    let round = 0;
    const rounds = await play(cascade, 1000, () => {
      // Every other round lookup finds five tokens, all right.
      lookup.state.length = round++ % 2 === 0 ? 5 : 0;
      return 5;
    });
    // 2.5 tokens of budget are 250 of output, whoever drafted them.
    const resumed = rounds.find(({ drafted }) => drafted === 2)!;
    expect(resumed.position).toBeGreaterThanOrEqual(100 + 250);
    expect(resumed.position).toBeLessThan(100 + 275);
    expect(lookup.heard.every(([drafted, accepted]) => drafted === 5 && accepted === 5)).toBe(true);
  });
});

describe('cascade', () => {
  it('asks the second drafter only where the first has nothing, and tells each of its own drafts', async () => {
    const first = drafting(0, 5);
    const second = drafting(3);
    const cascade = createCascade(first.drafter, second.drafter);
    let round = 0;
    const rounds = await play(cascade, 12, () => {
      first.state.length = round++ % 2 === 0 ? 0 : 4;
      return 1;
    });
    // What `accept` sets holds from the next round on.
    expect(rounds.map(({ drafted }) => drafted)).toEqual([3, 3, 4, 3, 4, 3]);
    expect(first.heard).toEqual([
      [4, 1],
      [4, 1],
    ]);
    expect(second.heard).toEqual(new Array(4).fill([3, 1]));
    expect(first.kept).toEqual(second.kept);
    expect(first.kept).toHaveLength(13);
  });

  it('closes both, also what pauses', async () => {
    const first = drafting(1);
    const second = drafting(1);
    const pausing = createFallback(second.drafter, costs, createDraftBudget());
    await createCascade(first.drafter, pausing).close();
    expect([first.state.closed, second.state.closed]).toEqual([1, 1]);
  });
});

describe('costs of rounds', () => {
  it('are draft passes and what comes beside; beyond the stored ones the last stands', () => {
    expect([0, 1, 2, 4].map((n) => roundCost(costs, n))).toEqual([
      1,
      0.3 + 1.1,
      0.6 + 1.2,
      1.2 + 1.2,
    ]);
  });

  it('the average approaches cost over tokens', () => {
    const time = createTimePerToken(costs);
    expect(time.value).toBe(0.8);
    for (let i = 0; i < 200; i++) {
      time.add(2, 2);
      time.add(1, 0);
    }
    // (1.8 + 1.4) / (3 + 1), give or take the latest round.
    expect(time.value).toBeCloseTo(0.8, 1);
    for (let i = 0; i < 400; i++) time.add(1, 1);
    expect(time.value).toBeCloseTo(0.7, 9);
  });
});
