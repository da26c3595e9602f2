import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoupling } from '../../../src/decoding/coupling.js';
import { createDraftExit } from '../../../src/decoding/draft-exit.js';
import { openGraphDrafter } from '../../../src/decoding/drafters/skip.js';
import { complete } from '../../../src/decoding/generate.js';
import { builtInHead, columnOf, tokenOf } from '../../../src/decoding/head-tokens.js';
import { decodeRounds } from '../../../src/decoding/rounds.js';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import { type DraftGraph, skipGraph } from '../../../src/engine/draft-graph.js';
import type { Engine } from '../../../src/engine/engine.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomTokens } from '../../helpers/logits.js';
import { narrowHead } from '../../helpers/narrow-head.js';

const size = { vocabSize: 40, contextLength: 96, layers: 2 };
const K = 4;
const prompt = randomTokens(20, size.vocabSize, 3);
/** The full model as its own draft: wrong only where the head has not got the target's token. */
const whole = skipGraph({ attention: [], mlp: [] });
const half = Array.from({ length: 20 }, (_, i) => 2 * i + 1);

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

it('columns and tokens are one another’s inverse', () => {
  const head = builtInHead(Int32Array.from(half));
  for (const [column, token] of half.entries()) {
    expect(tokenOf(head, column)).toBe(token);
    expect(columnOf(head, token)).toBe(column);
  }
  expect([tokenOf(null, 7), columnOf(null, 7)]).toEqual([7, 7]);
});

describe.each([
  ['greedy', GREEDY],
  ['Gumbel', { ...GREEDY, temperature: 0.9, topK: 12, seed: 4 }],
  ['Gumbel, all tokens', { ...GREEDY, temperature: 1.2, seed: 9 }],
])('a draft head over half of the tokens, %s', (_name, sampling) => {
  const roundsOf = async (graph: DraftGraph) => {
    const eos = new Set<number>();
    const cache = engine.createCache(size.contextLength);
    const coupling = createCoupling('gumbel', sampling, size.vocabSize, K);
    const context = { engine, cache, coupling, eos };
    const drafter = await openGraphDrafter(
      graph,
      K,
      createDraftExit({ exit: 'fixed' }, K),
      context,
    );
    const rounds = [];
    for await (const round of decodeRounds({ ...context, prompt, maxNewTokens: 60, drafter }))
      rounds.push(round);
    await drafter.close();
    return rounds;
  };

  it('proposes token ids of the head; outputs are the target’s', async () => {
    const request = { prompt, sampling, maxNewTokens: 60, ignoreEos: true };
    const truth = (await complete(engine, request)).tokens;
    const rounds = await roundsOf(narrowHead(whole, half));
    expect(rounds.flatMap(({ tokens }) => tokens)).toEqual(truth);
    const drafted = rounds.flatMap((round) => round.drafted);
    expect(drafted.every((token) => half.includes(token))).toBe(true);
    // Of the proposed token's own column: another's would be no probability, or that of a token that is not the best.
    const confidences = rounds.flatMap((round) => round.confidences);
    const least = sampling === GREEDY ? 1 / half.length : 0;
    expect(confidences.every((q) => q > least && q <= 1)).toBe(true);
    // What the head has and what it has not: with a token for a column, next to nothing would be accepted.
    const inHead = rounds.slice(1).filter(({ tokens }) => half.includes(tokens[0]!));
    expect(inHead.length).toBeGreaterThan(3);
    const most = inHead.filter(({ accepted, drafted: { length } }) => accepted > 0 || length === 0);
    expect(most.length / inHead.length).toBeGreaterThan(sampling === GREEDY ? 0.99 : 0.8);
  });

  it('with all tokens in the head is the draft without one', async () => {
    const all = Array.from({ length: size.vocabSize }, (_, i) => i);
    const told = (rounds: Awaited<ReturnType<typeof roundsOf>>) =>
      rounds.map(({ drafted, confidences, accepted }) => ({ drafted, confidences, accepted }));
    expect(told(await roundsOf(narrowHead(whole, all)))).toEqual(told(await roundsOf(whole)));
  });
});
