import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drafter } from '../../../src/decoding/drafter.js';
import type { CustomMethod } from '../../../src/decoding/drafters/custom.js';
import { complete } from '../../../src/decoding/generate.js';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import type { Engine } from '../../../src/engine/engine.js';
import { InputError } from '../../../src/errors.js';
import { evaluate } from '../../../src/evaluation/evaluate.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomTokens } from '../../helpers/logits.js';
import { uniforms } from '../../helpers/random.js';

const size = { vocabSize: 40, contextLength: 128, layers: 2 };
const prompt = randomTokens(20, size.vocabSize, 3);

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

/** Proposes the continuation that it was told, with some wrong tokens among them, and keeps count of its generations. */
function telling(truth: readonly number[], longest = 5) {
  const state = { opened: 0, closed: 0, kept: 0, heard: 0 };
  const method: CustomMethod = {
    name: 'custom',
    longest,
    open({ eos }) {
      state.opened++;
      expect(eos).toBeInstanceOf(Set);
      const random = uniforms(state.opened);
      const drafter: Drafter = {
        longest,
        keep(tokens) {
          state.kept += tokens.length;
        },
        async propose(draft, _last, position, limit) {
          while (draft.length < limit) {
            const right = truth[position + 1 - prompt.length + draft.length]!;
            draft.tokens[draft.length] = random() < 0.3 ? (right + 1) % size.vocabSize : right;
            draft.confidences[draft.length++] = 1;
          }
        },
        verified: () => void state.heard++,
        close: async () => void state.closed++,
      };
      return drafter;
    },
  };
  return { method, state };
}

/** A drafter that does one thing when it is asked. */
function doing(propose: Drafter['propose'], changes: Partial<Drafter> = {}): CustomMethod {
  const drafter = { longest: 4, keep() {}, propose, verified() {}, close: async () => {} };
  return { name: 'custom', longest: 4, open: () => ({ ...drafter, ...changes }) };
}

describe.each([
  ['greedy', GREEDY],
  ['Gumbel', { ...GREEDY, temperature: 0.9, topK: 12, seed: 4 }],
])("a drafter of the caller's own, %s", (_name, sampling) => {
  it('leaves the output as it is, and is opened and closed once for a generation', async () => {
    const request = { prompt, sampling, maxNewTokens: 50, ignoreEos: true };
    const plain = await complete(engine, request);
    const { method, state } = telling(plain.tokens);
    const made = await complete(engine, { ...request, method });
    expect(made.tokens).toEqual(plain.tokens);
    const { proposedTokens, acceptedTokens, targetPasses } = made.statistics;
    expect(acceptedTokens).toBeGreaterThan(15);
    expect(proposedTokens).toBeGreaterThan(acceptedTokens);
    const { kept, ...counts } = state;
    expect(counts).toEqual({ opened: 1, closed: 1, heard: targetPasses });
    expect(kept).toBe(prompt.length + 50);
    // Its memory is its own: another of the same form is not taken for it.
    const other = telling(plain.tokens);
    await complete(engine, { ...request, method: other.method });
    expect([state.opened, other.state.opened]).toEqual([1, 1]);
  });
});

it('keeps the distribution under maximal coupling: a sure token is accepted as often as the target has it', async () => {
  const sampling = { ...GREEDY, temperature: 1, topK: 2 };
  const first = new Set<number>();
  let accepted = 0;
  const count = 300;
  for (let seed = 0; seed < count; seed++) {
    const request = { prompt, maxNewTokens: 3, ignoreEos: true, coupling: 'maximal' } as const;
    const method = doing(async (draft) => {
      draft.tokens[0] = 7;
      draft.length = 1;
    });
    const sampled = { ...sampling, seed };
    const { tokens, statistics } = await complete(engine, {
      ...request,
      sampling: sampled,
      method,
    });
    first.add(tokens[1]!);
    accepted += statistics.acceptedTokens;
  }
  expect(first.size).toBeGreaterThan(2);
  expect(accepted).toBeLessThan(count / 2);
});

it('is evaluated like any other', async () => {
  const truth = (await complete(engine, { prompt, maxNewTokens: 12, ignoreEos: true })).tokens;
  const { method, state } = telling(truth, 3);
  const result = await evaluate(
    { engine, tokenizer: null },
    {
      prompts: [{ id: 'one', dataset: 'own', tokens: prompt }],
      methods: [{ name: 'mine', method }],
      ...{ maxNewTokens: 12, repetitions: 2, warmup: 1, sampling: GREEDY, coupling: 'gumbel' },
    },
  );
  expect(new Set(result.samples.map(({ tokens }) => tokens.join())).size).toBe(1);
  expect(state).toMatchObject({ opened: 3, closed: 3 });
});

describe('refuses', () => {
  it.each<[string, CustomMethod, RegExp]>([
    ['no length', { ...doing(async () => {}), longest: 0 }, /longest is 0/],
    ['a drafter that drafts longer', doing(async () => {}, { longest: 5 }), /up to 5 tokens/],
    [
      'more tokens than fit',
      doing(async (draft) => {
        draft.length = 5;
      }),
      /proposed 5 tokens where [1-4] fit/,
    ],
    [
      'a token outside the vocabulary',
      doing(async (draft) => {
        draft.tokens[0] = 40;
        draft.length = 1;
      }),
      /token 40; the vocabulary has 0 to 39/,
    ],
  ])('%s', async (_what, method, message) => {
    const failing = complete(engine, { prompt, method, maxNewTokens: 20, ignoreEos: true });
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toThrow(message);
  });

  it('nothing that the drafter itself throws, and closes it', async () => {
    let closed = 0;
    const method = doing(
      async () => {
        throw new Error('mine');
      },
      { close: async () => void closed++ },
    );
    await expect(complete(engine, { prompt, method, ignoreEos: true })).rejects.toThrow('mine');
    expect(closed).toBe(1);
  });
});
