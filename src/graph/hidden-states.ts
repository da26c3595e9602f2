import type { ModelConfig } from '../checkpoint/model-config.js';
import { elementType, valueInfo } from './builder.js';
import type { ValueInfoProto } from './onnx_pb.js';
import type { GraphChange } from './transform.js';

/** The first outputs of every graph, of which a pass wants as many: `logits` and `new_kv`. Others come behind them. */
export const passOutputs = 2;

/** The embedding, which is the hidden state before the first sublayer. */
export const embeddedState = 'embedded';

/** The name of the hidden state after a sublayer. */
export function stateAfter(sublayer: number): string {
  return `state.${sublayer}`;
}

/** The name of h_i, the hidden state before sublayer i; of i = 2 L behind the last. */
export function stateBefore(sublayer: number): string {
  return sublayer === 0 ? embeddedState : stateAfter(sublayer - 1);
}

/**
 * h_0 .. h_2L as outputs, [S, hidden] each. A pass that does not ask for them does not return them, but a tenth slower it is all the
 * same: only the gated graph has them all.
 */
export function stateOutputs({ layers, hiddenSize }: ModelConfig): ValueInfoProto[] {
  return Array.from({ length: 2 * layers + 1 }, (_, i) => stateOutput(stateBefore(i), hiddenSize));
}

/** Gives a graph the hidden states before some sublayers as outputs. */
export function withStates(sublayers: Iterable<number>): GraphChange {
  return (graph, { hiddenSize }) => {
    for (const i of sublayers) graph.output.push(stateOutput(stateBefore(i), hiddenSize));
  };
}

/** One of them. */
export function stateOutput(name: string, hiddenSize: number): ValueInfoProto {
  return valueInfo(name, elementType.float, ['tokens', hiddenSize]);
}
