import { describe, expect, it } from 'vitest';
import { createCascade } from '../../src/decoding/cascade.js';
import type { Draft, Drafter } from '../../src/decoding/drafter.js';
import { createFallback } from '../../src/decoding/fallback.js';
import { createTimePerToken, roundCost } from '../../src/decoding/round-costs.js';

/** A draft of two tokens costs 1.8 in all: it gains where one of them is accepted, and loses where none is. */
const costs = { draft: 0.3, verify: [1, 1.1, 1.2], timePerToken: 0.8 };

/** A drafter that proposes as many tokens as it is told to, and what it hears. */
function drafting(length: number, longest = length) {
  const heard: [number, number][] = [];
  const kept: number[] = [];
  const state = { length };
  const drafter: Drafter = {
    longest,
    keep: (tokens) => void kept.push(...tokens),
    async propose(draft, _last, _position, limit) {
      draft.length = Math.min(limit, state.length);
    },
    verified: (drafted, accepted) => void heard.push([drafted, accepted]),
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

describe('fall-back', () => {
  it('never sets in while drafts gain', async () => {
    const { drafter, heard, kept } = drafting(2);
    const rounds = await play(createFallback(drafter, costs), 300, () => 1);
    expect(runs(rounds)).toEqual([150]);
    expect(heard).toEqual(new Array(150).fill([2, 1]));
    expect(kept).toHaveLength(301);
  });

  it('pauses after losing rounds, twice as long after each trial, up to a limit', async () => {
    const { drafter, heard, kept } = drafting(2);
    const rounds = await play(createFallback(drafter, costs), 400, () => 0);
    // From 0.8 the average takes a while to pass 1; later trials start at 1.
    const [first, ...rest] = runs(rounds);
    const time = createTimePerToken(costs);
    let expected = 0;
    while (time.value <= 1 || expected < 4) {
      time.add(2, 0);
      expected++;
    }
    expect(first).toBe(expected);
    expect(rest.slice(0, 11)).toEqual([8, 4, 16, 4, 32, 4, 64, 4, 64, 4, 64]);
    // Every outcome and every token is passed on.
    expect(heard).toEqual(rounds.map(({ drafted }) => [drafted, 0]));
    expect(kept).toHaveLength(401);
  });

  it('a trial that wins ends it, and the next pause is short again', async () => {
    const { drafter } = drafting(2);
    const hard = (position: number) => position < 180 || position >= 400;
    const rounds = await play(createFallback(drafter, costs), 500, (p) => (hard(p) ? 0 : 2));
    const easy = rounds.filter(({ position }) => position >= 250 && position < 400);
    expect(easy.every(({ drafted }) => drafted === 2)).toBe(true);
    const after = runs(rounds.filter(({ position }) => position >= 400));
    expect(after.slice(1, 4)).toEqual([8, 4, 16]);
  });

  it('counts tokens that others emit in a pause', async () => {
    const lookup = drafting(0, 8);
    const skip = drafting(2);
    const cascade = createCascade(lookup.drafter, createFallback(skip.drafter, costs));
    expect(cascade.longest).toBe(8);
    const pausedAt = (await play(createFallback(drafting(2).drafter, costs), 60, () => 0)).find(
      ({ drafted }) => drafted === 0,
    )!.position;
    const rounds = await play(cascade, 60, (position) => {
      // From the pause on lookup finds five tokens a round, all right: two rounds of six tokens make eight.
      lookup.state.length = position + 1 >= pausedAt && position < pausedAt + 6 ? 5 : 0;
      return position >= pausedAt ? 5 : 0;
    });
    const paused = rounds.filter(({ position }) => position >= pausedAt).slice(0, 3);
    expect(paused.map(({ drafted }) => drafted)).toEqual([5, 5, 2]);
    expect(lookup.heard).toEqual([
      [5, 5],
      [5, 5],
    ]);
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
