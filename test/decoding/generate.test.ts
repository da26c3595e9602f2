import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoupling } from '../../src/decoding/coupling.js';
import { complete, type GenerateRequest, generate } from '../../src/decoding/generate.js';
import { type Method, methodMemory } from '../../src/decoding/method.js';
import { decodeRounds, type Round } from '../../src/decoding/rounds.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { scriptedDrafter } from '../helpers/scripted-drafter.js';

// Not a whole number of blocks, and few enough tokens for some to come up again.
const size = { vocabSize: 40, contextLength: 70, layers: 3 };
const prompt = randomTokens(20, size.vocabSize, 3);
const newTokens = 30;
/** Skips nothing: every draft is accepted. */
const sure: Method = {
  name: 'skip',
  plan: skipPlan({ attention: [], mlp: [] }),
  draftLength: 6,
  exit: { exit: 'fixed' },
};
const adaptive: Method = {
  name: 'skip',
  plan: skipPlan({ attention: [1], mlp: [] }),
  draftLength: 5,
  exit: { exit: 'adaptive', threshold: 0.5 },
};
const methods: [string, Method][] = [
  ['autoregressive', { name: 'autoregressive' }],
  ['drafts that are always right', sure],
  ['drafts that are often wrong', adaptive],
  ['a draft length above the room', { ...adaptive, draftLength: 100, exit: { exit: 'fixed' } }],
  ['prompt lookup', { name: 'lookup' }],
];

let engine: Engine;
/** The greedy continuation, whatever tokens end it. */
let truth: readonly number[];
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
  truth = (await complete(engine, { prompt, maxNewTokens: newTokens })).tokens;
});
afterAll(() => engine.close());

/** Every round of a generation, and what it came to. */
async function roundsOf(request: GenerateRequest) {
  const running = generate(engine, request);
  const rounds: Round[] = [];
  for (;;) {
    const step = await running.next();
    if (step.done) return { rounds, ...step.value };
    if (step.value.round) rounds.push(step.value.round);
  }
}

describe.each(methods)('%s', (_name, method) => {
  it.each([1, 2, 3, newTokens])('stops after %d new tokens', async (maxNewTokens) => {
    const made = await complete(engine, { prompt, method, maxNewTokens });
    expect(made.tokens).toEqual(truth.slice(0, maxNewTokens));
    expect(made.finishReason).toBe('length');
    if (maxNewTokens > 2) return;
    // One token is the prefill's; of two, the second needs a target pass and no draft.
    expect(made.statistics).toMatchObject({
      newTokens: maxNewTokens,
      targetPasses: maxNewTokens - 1,
      draftPasses: 0,
      proposedTokens: 0,
    });
  });

  it('fills the context to its last position', async () => {
    for (const room of [1, 2, 5, 12]) {
      const long = [...prompt, ...truth, ...prompt].slice(0, size.contextLength - room);
      const plain = await complete(engine, { prompt: long, maxNewTokens: 1000 });
      expect(plain.tokens).toHaveLength(room);
      const made = await complete(engine, { prompt: long, method, maxNewTokens: 1000 });
      expect(made.tokens).toEqual(plain.tokens);
      expect(made.finishReason).toBe('length');
    }
  });

  it('ends with an end-of-sequence token, unless told to ignore it', async () => {
    // Each token of the text where it comes up first, at every place of a draft.
    for (const [at, eos] of [...truth.entries()].slice(0, 12)) {
      const ending = await loadMiniature({ ...size, eosTokenIds: [39, eos] }, 'fp32', 1);
      const first = Math.min(truth.indexOf(eos), truth.includes(39) ? truth.indexOf(39) : at);
      const request = { prompt, method, maxNewTokens: newTokens };
      const made = await complete(ending, request);
      expect(made.tokens).toEqual(truth.slice(0, first + 1));
      expect(made.finishReason).toBe('eos');
      expect(made.statistics.newTokens).toBe(first + 1);
      const ignoring = await complete(ending, { ...request, ignoreEos: true });
      expect(ignoring.tokens).toEqual(truth);
      expect(ignoring.finishReason).toBe('length');
      await ending.close();
    }
  });

  it('statistics are those of its rounds', async () => {
    const { rounds, tokens, statistics } = await roundsOf({
      prompt,
      method,
      maxNewTokens: newTokens,
    });
    const [prefill, ...rest] = rounds;
    expect(prefill).toMatchObject({ kind: 'prefill', tokens: [truth[0]], drafted: [] });
    const total = (of: (round: Round) => number) => rest.reduce((sum, r) => sum + of(r), 0);
    const { proposedTokens, acceptedTokens, reached, acceptedAt } = statistics;
    expect(statistics).toMatchObject({
      newTokens: tokens.length,
      targetPasses: rest.length,
      draftPasses: method.name === 'skip' ? proposedTokens : 0,
      proposedTokens: total((r) => r.drafted.length),
      acceptedTokens: total((r) => r.accepted),
      prefillSeconds: prefill!.targetSeconds,
    });
    expect(statistics.decodeSeconds).toBeCloseTo(
      total((r) => r.draftSeconds + r.targetSeconds),
      9,
    );
    expect(tokens).toHaveLength(1 + rest.length + acceptedTokens);
    for (const [i, count] of reached.entries()) {
      expect(count).toBe(rest.filter((r) => r.drafted.length > i && r.accepted >= i).length);
      expect(acceptedAt[i]).toBe(rest.filter((r) => r.accepted > i).length);
    }
    expect(acceptedAt).toHaveLength(reached.length);
    expect(acceptedAt.reduce((sum, count) => sum + count, 0)).toBe(acceptedTokens);
    let position = prompt.length;
    for (const round of rounds) {
      expect(round.position).toBe(position);
      expect(round.drafted.slice(0, round.accepted)).toEqual(round.tokens.slice(0, round.accepted));
      expect(round.confidences).toHaveLength(round.drafted.length);
      position += round.tokens.length;
    }
    if (method === sure) expect(acceptedTokens).toBe(proposedTokens);
  });

  it('repeats itself with a new memory: nothing else stays from one generation to the next', async () => {
    const cache = engine.createCache(size.contextLength);
    const run = async (from: readonly number[]) => {
      const sampling = { ...GREEDY, temperature: 0.8, seed: 5 };
      const memory = methodMemory(method);
      const request = { prompt: from, method, sampling, cache, memory, maxNewTokens: 40 };
      const { rounds } = await roundsOf(request);
      return rounds.map(({ tokens, drafted, confidences }) => ({ tokens, drafted, confidences }));
    };
    const first = await run(prompt);
    // Enough rounds to move an adaptive threshold, which a round changes by 0.001, by a tenth or so.
    for (let i = 0; i < 5; i++) await run(randomTokens(20, size.vocabSize, i));
    expect(await run(prompt)).toEqual(first);
  });
});

it('an adaptive threshold moves within a generation', async () => {
  const { rounds } = await roundsOf({ prompt, method: adaptive, maxNewTokens: 45 });
  const frozen = { ...adaptive, exit: { exit: 'threshold', threshold: 0.5 } } as const;
  const { rounds: unmoved } = await roundsOf({ prompt, method: frozen, maxNewTokens: 45 });
  expect(rounds.map((r) => r.drafted.length)).not.toEqual(unmoved.map((r) => r.drafted.length));
});

it('an end of sequence within an accepted run ends the run there', async () => {
  const gated = await engine.loadGated();
  // Position of the end within a draft that goes on beyond it; the first round drafts tokens 1 to 6.
  for (const at of [1, 3, 5, 6, 7]) {
    const eos = new Set([truth[at]!]);
    const end = truth.findIndex((token) => eos.has(token));
    const cache = gated.createCache(size.contextLength);
    const script = { longest: 6, truth, start: prompt.length, wrong: [6] };
    const { drafter, outcomes } = scriptedDrafter(gated, cache, script);
    const coupling = createCoupling('gumbel', GREEDY, size.vocabSize, 6);
    const request = { engine: gated, cache, prompt, maxNewTokens: 20, drafter, coupling, eos };
    const tokens: number[] = [];
    for await (const round of decodeRounds(request)) tokens.push(...round.tokens);
    expect(tokens).toEqual(truth.slice(0, end + 1));
    if (end > 0) expect(outcomes).toEqual([{ drafted: 6, accepted: Math.min(end, 6) }]);
  }
  await gated.close();
});

describe('refuses', () => {
  const full = randomTokens(size.contextLength, size.vocabSize, 1);
  it.each<[string, GenerateRequest, RegExp]>([
    ['an empty prompt', { prompt: [] }, /prompt is empty/i],
    ['a prompt as long as the context', { prompt: full }, /70 tokens.*context holds 70/],
    ['a longer one', { prompt: [...full, 1] }, /71 tokens/],
    ['an id of the size of the vocabulary', { prompt: [1, 40] }, /id 40 .*0 to 39/],
    ['a negative id', { prompt: [-1] }, /id -1/],
    ['half an id', { prompt: [1.5] }, /id 1.5/],
    ['no number as an id', { prompt: [Number.NaN] }, /NaN/],
    ['no new tokens', { prompt, maxNewTokens: 0 }, /max_new_tokens is 0/],
    ['half a token', { prompt, maxNewTokens: 1.5 }, /max_new_tokens is 1.5/],
    ['stop texts without a tokenizer', { prompt, stop: ['a'] }, /tokenizer/],
    ['sampling out of range', { prompt, sampling: { ...GREEDY, topP: 0 } }, /top_p/],
    ['a draft length of 0', { prompt, method: { ...sure, draftLength: 0 } }, /draft_length/],
  ])('%s', async (_what, request, message) => {
    const failing = complete(engine, request);
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toThrow(message);
  });
});

it('generations at the same time, of one engine and draft, are those of one after the other', async () => {
  const shared = await loadMiniature(size, 'int8', 1);
  try {
    const requests = [1, 2, 3].map(
      (seed): GenerateRequest => ({
        prompt: randomTokens(20, size.vocabSize, seed),
        method: adaptive,
        maxNewTokens: newTokens,
      }),
    );
    const alone = [];
    for (const request of requests) alone.push((await complete(shared, request)).tokens);
    const together = await Promise.all(requests.map((request) => complete(shared, request)));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  } finally {
    await shared.close();
  }
});

describe('an aborted signal', () => {
  it.each(methods)('ends a generation between two rounds (%s)', async (_name, method) => {
    const controller = new AbortController();
    const request = { prompt, method, maxNewTokens: newTokens, signal: controller.signal };
    const running = generate(engine, request);
    const tokens: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { value } = await running.next();
      tokens.push(...value.tokens);
    }
    controller.abort(new Error('enough'));
    await expect(running.next()).rejects.toThrow('enough');
    expect((await running.next()).done).toBe(true);
    expect(tokens).toEqual(truth.slice(0, tokens.length));
    expect(tokens.length).toBeLessThan(newTokens);
    // What the generation had is free again: the next one learns on, and gives the same text.
    const { signal: _, ...again } = request;
    expect((await complete(engine, again)).tokens).toEqual(truth);
  });

  it('keeps one from beginning', async () => {
    const signal = AbortSignal.abort(new Error('never'));
    await expect(generate(engine, { prompt, signal }).next()).rejects.toThrow('never');
  });
});
