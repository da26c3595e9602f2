import { describe, expect, test } from 'vitest';
import { type MiniatureOptions, writeMiniature } from './miniature.js';
import { readWeights, type Weights } from './read-weights.js';
import { createReference, referenceLogits } from './reference.js';
import { linear, rmsNorm, silu } from './reference-math.js';
import { temporaryDirectory } from './temporary.js';

const tokens = [1, 7, 42, 42, 200, 3, 99, 150];
const all = (layers: number) => new Array<boolean>(layers).fill(true);
const none = (layers: number) => new Array<boolean>(layers).fill(false);

function load(options: MiniatureOptions = {}) {
  const { directory, config } = writeMiniature(temporaryDirectory(), options);
  return { config, weights: readWeights(directory) };
}

/** The weights with some tensors replaced by a function of the original. */
function patched(
  weights: Weights,
  patches: Record<string, (original: Float64Array) => Float64Array>,
): Weights {
  return (name) => {
    const original = weights(name);
    return patches[name]?.(Float64Array.from(original)) ?? original;
  };
}

function expectClose(actual: readonly Float64Array[], expected: readonly Float64Array[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((logits, position) => {
    logits.forEach((x, i) => {
      expect(Math.abs(x - expected[position]![i]!), `logit ${i} at ${position}`).toBeLessThan(1e-9);
    });
  });
}

describe('closed forms', () => {
  const attention = 'model.layers.0.self_attn.';
  const mlp = 'model.layers.0.mlp.';

  test('without sublayers the logits are head(norm(embedding))', () => {
    const { config, weights } = load({ tied: true });
    const skipped = { attention: all(4), mlp: all(4) };
    const head = weights('lm_head.weight');
    const expected = tokens.map((token) =>
      linear(
        head,
        rmsNorm(head.slice(token * 64, token * 64 + 64), weights('model.norm.weight'), 1e-5),
      ),
    );
    expectClose(referenceLogits(config, weights, tokens, skipped), expected);
  });

  test('a sublayer whose output projection is zero is a skipped sublayer', () => {
    const { config, weights } = load({ layers: 1 });
    const silent = patched(weights, { [`${attention}o_proj.weight`]: (w) => w.fill(0) });
    const skipped = { attention: [true], mlp: [false] };
    const logits = referenceLogits(config, silent, tokens);
    expectClose(logits, referenceLogits(config, weights, tokens, skipped));
    expect(logits).not.toEqual(referenceLogits(config, weights, tokens));
  });

  test('one position: attention is o_proj(v), the MLP is SwiGLU', () => {
    const { config, weights } = load({ layers: 1, kvHeads: 4 });
    const layer = (name: string) => weights(`model.layers.0.${name}.weight`);
    const x0 = Float64Array.from(weights('model.embed_tokens.weight').slice(5 * 64, 6 * 64));
    const attended = linear(
      layer('self_attn.o_proj'),
      linear(layer('self_attn.v_proj'), rmsNorm(x0, layer('input_layernorm'), 1e-5)),
    );
    const x1 = x0.map((x, i) => x + attended[i]!);
    const normed = rmsNorm(x1, layer('post_attention_layernorm'), 1e-5);
    const up = linear(layer('mlp.up_proj'), normed);
    const gated = linear(layer('mlp.gate_proj'), normed).map((g, i) => silu(g) * up[i]!);
    const down = linear(layer('mlp.down_proj'), gated);
    const x2 = x1.map((x, i) => x + down[i]!);
    const expected = linear(
      weights('lm_head.weight'),
      rmsNorm(x2, weights('model.norm.weight'), 1e-5),
    );
    expectClose(referenceLogits(config, weights, [5]), [expected]);
  });

  test('a value bias is an output bias of o_proj(bias), for attention weights sum to one', () => {
    const { config, weights } = load({ layers: 1, kvHeads: 4, attentionBias: true });
    const [valueBias, outputBias] = [`${attention}v_proj.bias`, `${attention}o_proj.bias`];
    const moved = linear(
      weights(`${attention}o_proj.weight`),
      Float64Array.from(weights(valueBias)),
    );
    const equivalent = patched(weights, {
      [valueBias]: (b) => b.fill(0),
      [outputBias]: (b) => b.map((x, i) => x + moved[i]!),
    });
    expectClose(
      referenceLogits(config, equivalent, tokens),
      referenceLogits(config, weights, tokens),
    );
  });

  test.each(['q_proj', 'k_proj', 'v_proj', 'o_proj'])('the bias of %s is added', (name) => {
    const { config, weights } = load({ layers: 1, attentionBias: true });
    const without = patched(weights, { [`${attention}${name}.bias`]: (b) => b.fill(0) });
    const [a, b] = [weights, without].map((w) => referenceLogits(config, w, tokens).at(-1));
    expect(a).not.toEqual(b);
  });

  test('MLP biases alone give down(silu(gate bias) * up bias) + down bias', () => {
    const { config, weights } = load({ layers: 1, mlpBias: true });
    const constant = patched(weights, {
      [`${mlp}gate_proj.weight`]: (w) => w.fill(0),
      [`${mlp}up_proj.weight`]: (w) => w.fill(0),
    });
    const up = weights(`${mlp}up_proj.bias`);
    const gated = Float64Array.from(weights(`${mlp}gate_proj.bias`), (g, i) => silu(g) * up[i]!);
    const added = linear(weights(`${mlp}down_proj.weight`), gated, weights(`${mlp}down_proj.bias`));
    const shifted = patched(weights, {
      'model.embed_tokens.weight': (w) => w.map((x, i) => x + added[i % 64]!),
    });
    const logits = referenceLogits(config, constant, tokens, { attention: [true], mlp: [false] });
    const skipped = { attention: [true], mlp: [true] };
    expectClose(logits, referenceLogits(config, shifted, tokens, skipped));
  });

  test('grouped queries equal full heads with the K/V rows of each group repeated', () => {
    const { config, weights } = load();
    const repeated: Weights = (name) => {
      const weight = weights(name);
      if (!/[kv]_proj/.test(name)) return weight;
      const half = weight.length / 2; // two K/V heads for four query heads
      const [a, b] = [[...weight.subarray(0, half)], [...weight.subarray(half)]];
      return Float64Array.from([...a, ...a, ...b, ...b]);
    };
    expectClose(
      referenceLogits({ ...config, kvHeads: 4 }, repeated, tokens),
      referenceLogits(config, weights, tokens),
    );
  });
});

describe('what a position sees', () => {
  const { config, weights } = load();

  test('later tokens do not change earlier logits', () => {
    const changed = [...tokens.slice(0, 5), 8, 8, 8];
    const [a, b] = [tokens, changed].map((t) => referenceLogits(config, weights, t));
    expect(a!.slice(0, 5)).toEqual(b!.slice(0, 5));
    expect(a![5]).not.toEqual(b![5]);
  });

  test('the order of earlier tokens matters', () => {
    const swapped = [7, 1, ...tokens.slice(2)];
    const [a, b] = [tokens, swapped].map((t) => referenceLogits(config, weights, t).at(-1));
    expect(a).not.toEqual(b);
  });

  test('a sliding window is full attention until the sequence outgrows it', () => {
    const full = referenceLogits(config, weights, tokens);
    const windowed = referenceLogits({ ...config, slidingWindow: 5 }, weights, tokens);
    expect(windowed.slice(0, 5)).toEqual(full.slice(0, 5));
    for (const position of [5, 6, 7]) expect(windowed[position]).not.toEqual(full[position]);
  });

  test('a window of one position attends to itself alone', () => {
    const narrow = referenceLogits({ ...config, slidingWindow: 1 }, weights, tokens);
    expectClose(
      narrow,
      tokens.map((token) => referenceLogits(config, weights, [token])[0]!),
    );
  });
});

describe('drafting', () => {
  const { config, weights } = load();
  const draft = { attention: [false, true, false, false], mlp: [false, false, true, false] };
  const full = referenceLogits(config, weights, tokens);

  test('a mask that skips nothing is the target', () => {
    const skipped = { attention: none(4), mlp: none(4) };
    expect(referenceLogits(config, weights, tokens, skipped)).toEqual(full);
    expect(referenceLogits(config, weights, tokens, draft).at(-1)).not.toEqual(full.at(-1));
  });

  test('verifying after a draft gives the logits of never having drafted', () => {
    const reference = createReference(config, weights);
    for (const token of tokens.slice(0, 4)) reference.step(token);
    for (const token of [9, 10, 11]) reference.step(token, draft);
    expect(reference.length).toBe(7);
    reference.truncate(4);
    expect(tokens.slice(4).map((token) => reference.step(token))).toEqual(full.slice(4));
  });

  test('a draft reads the K/V that the full pass wrote', () => {
    const draftedAfter = (mask?: typeof draft) => {
      const reference = createReference(config, weights);
      for (const token of tokens.slice(0, 7)) reference.step(token, mask);
      return reference.step(tokens[7]!, draft);
    };
    expect(draftedAfter()).not.toEqual(draftedAfter(draft));
  });

  test('skipped attention leaves the row of an earlier pass, a full pass overwrites it', () => {
    const everything = { attention: all(4), mlp: none(4) };
    const reference = createReference(config, weights);
    for (const token of tokens.slice(0, 5)) reference.step(token);
    reference.truncate(4);
    reference.step(13, everything);
    expect(reference.step(tokens[5]!)).toEqual(full[5]);
    reference.truncate(4);
    reference.step(13);
    expect(reference.step(tokens[5]!)).not.toEqual(full[5]);
  });

  test('a row never written is zero', () => {
    const silent = createReference(config, weights);
    silent.step(tokens[0]!, { attention: all(4), mlp: all(4) });
    // A token of zero embedding stays zero through every sublayer, its keys and values included.
    const zeroed = createReference(
      config,
      patched(weights, { 'model.embed_tokens.weight': (w) => w.fill(0, 0, 64) }),
    );
    zeroed.step(0);
    expect(silent.step(7)).toEqual(zeroed.step(7));
  });

  test('faults of the caller are refused', () => {
    const reference = createReference({ ...config, contextLength: 1 }, weights);
    expect(() => reference.step(256)).toThrow(RangeError);
    reference.step(255);
    expect(() => reference.step(0)).toThrow('context is full');
    expect(() => reference.truncate(2)).toThrow(RangeError);
  });
});
