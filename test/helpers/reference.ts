import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import type { Bridge } from '../../src/profile/draft-plan.js';
import type { Weights } from './read-weights.js';
import { attend, linear, rmsNorm, rotaryFrequencies, rotate, silu } from './reference-math.js';

/** Sublayers to skip, by layer: true = the hidden state passes by attention (or MLP), its norm and residual included. */
export interface SkippedSublayers {
  readonly attention: readonly boolean[];
  readonly mlp: readonly boolean[];
  /** Linear maps over runs of them: x + rmsnorm(x) W + rmsnorm(m) U + w0, W and U [hidden, hidden] by rows of input. */
  readonly bridges?: readonly Bridge[];
}

/** A reference model with its K/V cache, fed one token at a time. */
export interface Reference {
  /** Positions in the cache. */
  readonly length: number;
  /**
   * Runs the token at position `length` with the given sublayers skipped (none by default): its logits [vocab].
   * @param states gets the hidden state before every sublayer and after the last, [2 L + 1, hidden].
   */
  step(token: number, skipped?: SkippedSublayers, states?: Float64Array[]): Float64Array;
  /** Forgets all positions from `length` on. Their K/V rows stay behind, see {@link createReference}. */
  truncate(length: number): void;
}

/**
 * A plain float64 forward pass of the Llama/Mistral architecture, the oracle of the engine's tests.
 *
 * K/V rows are those of whichever pass wrote them last. A pass that skips a layer's attention writes no K/V there: the
 * row stays as it was (zeros, or what an earlier pass left at that position, even one truncated since), so a later
 * pass that does attend in this layer reads it; running the position again with that attention overwrites it. So are hidden
 * states, of which bridges with memory read m, that of the position before.
 */
export function createReference(config: ModelConfig, weights: Weights): Reference {
  const { layers, hiddenSize, vocabSize, contextLength, rmsNormEps, slidingWindow } = config;
  const frequencies = rotaryFrequencies(config);
  const embedding = weights('model.embed_tokens.weight');
  const head = config.tiedEmbeddings ? embedding : weights('lm_head.weight');
  const finalNorm = weights('model.norm.weight');
  const stack = Array.from({ length: layers }, (_, layer) => layerWeights(config, weights, layer));
  const kvSize = config.kvHeads * config.headDim;
  const noRows = (): Float64Array[] =>
    Array.from({ length: contextLength }, () => new Float64Array(kvSize));
  const cache = stack.map(() => ({ keys: noRows(), values: noRows() }));
  /** By position, then by sublayer. */
  const history: Float64Array[][] = [];
  let length = 0;

  function attentionOf(layer: number, hidden: Float64Array): Float64Array {
    const { attentionNorm, query, key, value, output } = stack[layer]!;
    const { keys, values } = cache[layer]!;
    const x = rmsNorm(hidden, attentionNorm, rmsNormEps);
    keys[length] = rotate(key(x), length, frequencies);
    values[length] = value(x);
    const first = slidingWindow === null ? 0 : Math.max(0, length + 1 - slidingWindow);
    const visible = (rows: Float64Array[]) => rows.slice(first, length + 1);
    const q = rotate(query(x), length, frequencies);
    return output(attend(q, visible(keys), visible(values), config));
  }

  function mlpOf(layer: number, hidden: Float64Array): Float64Array {
    const { mlpNorm, gate, up, down } = stack[layer]!;
    const x = rmsNorm(hidden, mlpNorm, rmsNormEps);
    const u = up(x);
    return down(gate(x).map((g, i) => silu(g) * u[i]!));
  }

  /** The hidden state after a sublayer, where a bridge ends with it. */
  function bridged(sublayer: number, hidden: Float64Array, skipped?: SkippedSublayers) {
    const bridge = skipped?.bridges?.find(({ to }) => to === sublayer + 1);
    if (!bridge) return hidden;
    const unit = (state: Float64Array) =>
      rmsNorm(state, new Float64Array(hiddenSize).fill(1), rmsNormEps);
    const x = unit(hidden);
    const m = unit(history[length - 1]?.[bridge.to] ?? new Float64Array(hiddenSize));
    return hidden.map((value, column) => {
      let sum = value + bridge.bias[column]!;
      for (let row = 0; row < hiddenSize; row++) {
        const at = row * hiddenSize + column;
        sum += x[row]! * bridge.weight[at]! + m[row]! * (bridge.memory?.[at] ?? 0);
      }
      return sum;
    });
  }

  return {
    get length() {
      return length;
    },
    step(token, skipped, states = []) {
      if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
        throw new RangeError(`token ${token} is not in the vocabulary`);
      if (length >= contextLength) throw new RangeError('the context is full');
      let hidden: Float64Array = Float64Array.from(
        embedding.subarray(token * hiddenSize, (token + 1) * hiddenSize),
      );
      for (let layer = 0; layer < layers; layer++) {
        states.push(hidden);
        if (!skipped?.attention[layer]) hidden = add(hidden, attentionOf(layer, hidden));
        hidden = bridged(2 * layer, hidden, skipped);
        states.push(hidden);
        if (!skipped?.mlp[layer]) hidden = add(hidden, mlpOf(layer, hidden));
        hidden = bridged(2 * layer + 1, hidden, skipped);
      }
      states.push(hidden);
      history[length] = states.slice(-2 * layers - 1);
      length++;
      return linear(head, rmsNorm(hidden, finalNorm, rmsNormEps));
    },
    truncate(to) {
      if (to < 0 || to > length) throw new RangeError(`cannot truncate ${length} to ${to}`);
      length = to;
    },
  };
}

/** The logits ([vocab]) of every position of a token sequence, all positions run with the same sublayers skipped. */
export function referenceLogits(
  config: ModelConfig,
  weights: Weights,
  tokens: readonly number[],
  skipped?: SkippedSublayers,
): Float64Array[] {
  const reference = createReference(config, weights);
  return tokens.map((token) => reference.step(token, skipped));
}

/** The index of the largest value, the lowest of equal ones: a greedy choice. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Greedy continuation of a prompt (at least one token) by the whole model: `count` new tokens, EOS not heeded. */
export function referenceGreedy(
  config: ModelConfig,
  weights: Weights,
  prompt: readonly number[],
  count: number,
): number[] {
  const reference = createReference(config, weights);
  let logits: Float64Array = new Float64Array();
  for (const token of prompt) logits = reference.step(token);
  const tokens: number[] = [];
  while (tokens.length < count) {
    tokens.push(argmax(logits));
    if (tokens.length < count) logits = reference.step(tokens.at(-1)!);
  }
  return tokens;
}

function layerWeights(config: ModelConfig, weights: Weights, layer: number) {
  const named = (name: string) => weights(`model.layers.${layer}.${name}`);
  const projection = (name: string, biased: boolean) => {
    const weight = named(`${name}.weight`);
    const bias = biased ? named(`${name}.bias`) : undefined;
    return (x: Float64Array) => linear(weight, x, bias);
  };
  return {
    attentionNorm: named('input_layernorm.weight'),
    query: projection('self_attn.q_proj', config.biases.q),
    key: projection('self_attn.k_proj', config.biases.k),
    value: projection('self_attn.v_proj', config.biases.v),
    output: projection('self_attn.o_proj', config.biases.o),
    mlpNorm: named('post_attention_layernorm.weight'),
    gate: projection('mlp.gate_proj', config.biases.gate),
    up: projection('mlp.up_proj', config.biases.up),
    down: projection('mlp.down_proj', config.biases.down),
  };
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}
