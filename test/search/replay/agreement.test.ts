import { describe, expect, it } from 'vitest';
import { createCoupling } from '../../../src/decoding/coupling.js';
import type { DraftExit } from '../../../src/decoding/draft-exit.js';
import type { CascadeMethod } from '../../../src/decoding/drafters/cascade.js';
import type { SkipMethod } from '../../../src/decoding/drafters/skip.js';
import { generate } from '../../../src/decoding/generate.js';
import { methodMemory } from '../../../src/decoding/method.js';
import { draftRoom, type Round } from '../../../src/decoding/rounds.js';
import { GREEDY, type SamplingOptions } from '../../../src/decoding/sampling/options.js';
import type { Engine } from '../../../src/engine/engine.js';
import { ReplayInputs } from '../../../src/engine/replay-inputs.js';
import { type DraftPlan, skipPlan } from '../../../src/profile/draft-plan.js';
import type { SkipMask } from '../../../src/profile/mask.js';
import { type DraftPrices, roundSeconds } from '../../../src/search/cost/cost-model.js';
import { MemorySource } from '../../../src/search/replay/memories.js';
import { type ReplayRecord, replayDraft } from '../../../src/search/replay/records.js';
import { offsetsOf } from '../../../src/search/replay/reference.js';
import { simulateRounds } from '../../../src/search/replay/simulate.js';
import { simulateCascade } from '../../../src/search/replay/simulate-cascade.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomMask, randomTokens } from '../../helpers/logits.js';
import type { MiniatureOptions } from '../../helpers/miniature.js';
import { randomPlan } from '../../helpers/plans.js';
import { replayRecord } from '../../helpers/records.js';

const size = { layers: 4, contextLength: 256, innerScale: 0.2 };
const newTokens = 80;
/** Logits closer than this may change places when sums are taken over other blocks. */
const nearTie = 1e-4;

const shapes: [string, MiniatureOptions][] = [
  ['grouped queries', { heads: 4, kvHeads: 2 }],
  ['a K/V head for every query head', { heads: 4, kvHeads: 4 }],
  ['one K/V head', { heads: 4, kvHeads: 1 }],
  ['a sliding window shorter than the output', { slidingWindow: 24 }],
  ['a sliding window shorter than a draft', { slidingWindow: 3 }],
];
const samplings: [string, SamplingOptions][] = [
  ['greedy', GREEDY],
  ['sampled', { ...GREEDY, temperature: 0.8, topK: 40, seed: 11 }],
];
const cases = shapes.flatMap(([shape, options]) =>
  samplings.map(([name, sampling]) => [`${shape}, ${name}`, options, sampling] as const),
);

interface Decoded {
  readonly rounds: readonly Round[];
  /** Replay of the draft with a window at the start of every round. */
  readonly record: ReplayRecord;
  /** Gap between the two highest logits at every place, [N]. */
  readonly margins: readonly number[];
}

/** Decodes for real, then replays the draft with windows where the rounds started. */
async function decodeAndReplay(
  engine: Engine,
  gated: Engine,
  prompt: number[],
  method: SkipMethod | CascadeMethod,
  sampling: SamplingOptions,
): Promise<Decoded> {
  const { vocabSize } = engine.config;
  const { plan } = method;
  const all: Round[] = [];
  const memory = methodMemory(method);
  const request = { prompt, maxNewTokens: newTokens, method, memory, sampling, ignoreEos: true };
  for await (const { round } of generate(engine, request)) if (round) all.push(round);
  const rounds = all.filter(({ kind }) => kind === 'round');
  const tokens = all.flatMap((round) => round.tokens);
  const cache = engine.createCache(256);
  await engine.prefill(cache, [...prompt, ...tokens]);
  const starts = rounds.map(({ position }) => position - 1);
  const inputs = new ReplayInputs(engine.config, cache, {
    tokens: tokens.slice(0, -1),
    first: prompt.length,
    starts,
  });
  const offsets = offsetsOf(starts, prompt.length, inputs.count);
  const room = Int32Array.from(tokens.slice(1), (_, i) =>
    draftRoom(prompt.length + i, prompt.length + newTokens),
  );
  const reference = { position: prompt.length, tokens, room, inputs, offsets, prompt, cache };
  const coupling = createCoupling('gumbel', sampling, vocabSize, 0);
  const gates = gated.gates(plan.mask, plan.bridges);
  const source = await MemorySource.load(engine, gated, []);
  const memories = await source.of(reference, plan.bridges);
  await source.close();
  const [record] = await replayDraft(gated, reference, gates, coupling, [plan.words], memories);
  const logits = await gated.replay(inputs, gates, memories?.inWindows);
  const margins = Array.from(record!.match, (_, i) => {
    const row = logits.slice(i * vocabSize, (i + 1) * vocabSize).sort();
    return row[vocabSize - 1]! - row[vocabSize - 2]!;
  });
  return { rounds, record: record!, margins };
}

/** Every other plan has bridges and a head over half of the words, and those of the text. */
function planOf({ config }: Engine, mask: SkipMask, trial: number): DraftPlan {
  return trial % 2 === 0
    ? skipPlan(mask)
    : randomPlan(mask, config, trial, { gain: 0.2, every: 2 });
}

function skipping(plan: DraftPlan, exit: DraftExit, draftLength: number): SkipMethod {
  return { name: 'skip', plan, draftLength, exit };
}

async function withEngines(
  options: MiniatureOptions,
  run: (engine: Engine, gated: Engine) => Promise<void>,
): Promise<void> {
  const engine = await loadMiniature({ ...size, ...options }, 'fp32', 1);
  const gated = await engine.loadGated();
  await run(engine, gated);
  await gated.close();
  await engine.close();
}

describe('replay with windows where real rounds start', () => {
  it.each(cases)('sees what the rounds saw: %s', async (_, options, sampling) => {
    await withEngines(options, async (engine, gated) => {
      let compared = 0;
      let exceptions = 0;
      for (let trial = 0; trial < 5; trial++) {
        const prompt = randomTokens(3 + 17 * trial, engine.config.vocabSize, trial);
        const mask = randomMask(size.layers, trial, 0.15 + 0.1 * trial);
        const { rounds, record, margins } = await decodeAndReplay(
          engine,
          gated,
          prompt,
          skipping(planOf(engine, mask, trial), { exit: 'fixed' }, 2 + trial),
          sampling,
        );
        for (const { position, confidences, drafted, accepted } of rounds) {
          const at = position - 1 - prompt.length;
          // The first rejected token is still drafted from accepted ones alone.
          const certain = Math.min(drafted.length, accepted + 1);
          for (let i = 0; i < certain; i++) {
            compared++;
            const matches = i < accepted ? 1 : 0;
            if (record.match[at + i] !== matches) {
              // Noise moves the tie elsewhere, so only greedy choices have a margin to excuse them.
              expect(sampling.temperature).toBe(0);
              expect(margins[at + i]).toBeLessThan(nearTie);
              exceptions++;
            } else {
              expect(Math.abs(record.confidence[at + i]! - confidences[i]!)).toBeLessThan(1e-4);
            }
          }
        }
      }
      expect(compared).toBeGreaterThan(150);
      expect(exceptions).toBeLessThanOrEqual(1);
    });
  });

  it('is what a simulation needs to count the same rounds', async () => {
    await withEngines({}, async (engine, gated) => {
      let rejected = 0;
      for (let trial = 0; trial < 8; trial++) {
        const prompt = randomTokens(9 + 13 * trial, engine.config.vocabSize, 50 + trial);
        const mask = randomMask(size.layers, 90 + trial, 0.1 + 0.07 * trial);
        const draftLength = 2 + trial;
        const exits: DraftExit[] = [{ exit: 'fixed' }, { exit: 'threshold', threshold: 0.4 }];
        for (const exit of exits) {
          const { rounds, record } = await decodeAndReplay(
            engine,
            gated,
            prompt,
            skipping(planOf(engine, mask, trial), exit, draftLength),
            GREEDY,
          );
          const simulated = simulateRounds([record], exit, draftLength);
          const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0);
          const count = simulated.rounds.reduce((sum, n) => sum + n, 0);
          expect([count, simulated.accepted]).toEqual([rounds.length, accepted]);
          expect(simulated.tokens).toBe(newTokens - 1);
          rejected += rounds.filter((round) => round.accepted < round.drafted.length).length;
          // Where the draft goes on after a rejected token, its confidences are an estimate; a fixed length reads none.
          if (exit.exit !== 'fixed') continue;
          const real = Array.from(simulated.rounds, (_, n) => {
            return rounds.filter(({ drafted }) => drafted.length === n).length;
          });
          expect(Array.from(simulated.rounds)).toEqual(real);
        }
      }
      expect(rejected).toBeGreaterThan(100);
    });
  });
});

describe('a cascade simulated over replay with windows where its rounds start', () => {
  const flat = (probability: number) => ({ confidence: [0, 1], probability: [0, probability] });
  const costs = {
    draft: 0.12,
    verify: Array.from({ length: 13 }, (_, n) => 1 + 0.06 * n),
    timePerToken: 0.8,
    acceptance: flat(0.9),
    nextAcceptance: flat(0.8),
  };

  it.each(samplings)('has the same rounds: %s', async (_, sampling) => {
    await withEngines({}, async (engine, gated) => {
      const kinds = { lookups: 0, passes: 0, both: 0, rejected: 0 };
      for (let trial = 0; trial < 10; trial++) {
        const part = randomTokens(5 + 3 * trial, engine.config.vocabSize, 70 + trial);
        const plan = planOf(engine, randomMask(size.layers, 20 + trial, 0.15), trial);
        // After one pass a wrong token is known; those that a draft went on with from there are estimates.
        const drafting = { draftLength: 1, exit: { exit: 'fixed' } } as const;
        const method: CascadeMethod = { name: 'cascade', plan, ...drafting, fallback: costs };
        const prompt = [...part, ...part, ...part];
        const { rounds, record } = await decodeAndReplay(engine, gated, prompt, method, sampling);
        const simulated = await simulateCascade([record], prices, { ...drafting, costs });
        const sum = (of: (round: Round) => number) => rounds.reduce((all, one) => all + of(one), 0);
        expect(simulated.rounds).toEqual({
          rounds: rounds.length,
          passes: sum(({ draftPasses }) => draftPasses),
          proposed: sum(({ drafted }) => drafted.length),
          accepted: sum(({ accepted }) => accepted),
        });
        expect(simulated.time.seconds).toBeCloseTo(
          sum(({ draftPasses: passes, drafted }) => roundSeconds(prices, passes, drafted.length)),
          9,
        );
        for (const { draftPasses, drafted, accepted } of rounds) {
          if (accepted < drafted.length) kinds.rejected++;
          if (draftPasses === 0 && drafted.length > 0) kinds.lookups++;
          if (draftPasses > 0 && drafted.length === 1) kinds.passes++;
          if (draftPasses > 0 && drafted.length > 1) kinds.both++;
        }
      }
      expect(Math.min(...Object.values(kinds))).toBeGreaterThan(5);
    });
  });

  const prices: DraftPrices = {
    pass: 0.2,
    round: 0.03,
    target: Float64Array.from({ length: 14 }, (_, n) => (n === 0 ? 0 : 0.9 + 0.1 * n)),
    autoregressive: 1,
  };
});

describe('the adaptive rule in a simulation', () => {
  it('moves as the paper says', () => {
    // K = 2, all right, always as sure: m = 0.5, 0.75, 0.875 raise t from 0.6 to 0.603; with 0.6025 the fourth draft ends
    // after one token; m = 0.9375 lowers t to 0.602, and drafts that run to K leave it there. The last place has no room.
    const places = 15;
    const record = replayRecord(
      new Uint8Array(places).fill(1),
      new Float64Array(places).fill(0.6025),
    );
    const { rounds } = simulateRounds([record], { exit: 'adaptive', threshold: 0.6 }, 2);
    expect(Array.from(rounds)).toEqual([1, 1, 4]);
  });
});
