import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { bridgeInputs } from '../graph/bridge.js';
import type { Bridge } from '../profile/draft-plan.js';
import { matrix } from './product-session.js';

/** What runs in a pass: the full model, or a draft. Made once per draft by `Engine.gates`. */
export interface Gates {
  /** Inputs of the graph that say so; every gate of one engine has the same names. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Layers whose attention runs, ascending. */
  readonly attention: readonly number[];
}

/**
 * The inputs of the gated graph that say what runs and which bridges there are. What bridges with memory see, the pass must add.
 * @param run [2 L], 1 = the sublayer runs. @param bridges between the compiled model's hidden states.
 */
export function gateFeeds(
  config: ModelConfig,
  run: Uint8Array,
  bridges: readonly Bridge[],
): Record<string, Tensor> {
  const none = empty(config);
  const open = new Uint8Array(run.length);
  const feeds: Record<string, Tensor> = {
    run: new Tensor('bool', run, [run.length]),
    [bridgeInputs.open]: new Tensor('bool', open, [run.length]),
  };
  for (let end = 0; end < run.length; end++) {
    feeds[bridgeInputs.weight(end)] = none.weight;
    feeds[bridgeInputs.bias(end)] = none.weight;
    feeds[bridgeInputs.memory(end)] = none.memory;
    feeds[bridgeInputs.memoryWeight(end)] = none.memoryWeight;
  }
  for (const { to, weight, memory, bias } of bridges) {
    const end = to - 1;
    open[end] = 1;
    feeds[bridgeInputs.weight(end)] = matrix(weight, config.hiddenSize);
    feeds[bridgeInputs.bias(end)] = matrix(bias, config.hiddenSize);
    if (memory) feeds[bridgeInputs.memoryWeight(end)] = matrix(memory, config.hiddenSize);
  }
  return feeds;
}

/** What stands for a bridge where none is, and for the memory of one that has none. */
function empty({ hiddenSize }: ModelConfig) {
  const of = (dims: readonly number[]) => new Tensor('float32', new Float32Array(0), dims);
  return { weight: of([0, 0]), memory: of([1, 0]), memoryWeight: of([0, hiddenSize]) };
}
