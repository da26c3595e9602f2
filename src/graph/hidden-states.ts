import type { ModelConfig } from '../checkpoint/model-config.js';
import { elementType, valueInfo } from './builder.js';
import type { ValueInfoProto } from './onnx_pb.js';

/** Outputs of every graph that all passes want: `logits` and `new_kv`. Hidden states come behind them. */
export const passOutputs = 2;

/** The embedding, which is the hidden state before the first sublayer. */
export const embeddedState = 'embedded';

/** The name of the hidden state after a sublayer. */
export function stateAfter(sublayer: number): string {
  return `state.${sublayer}`;
}

/** h_0 .. h_2L as outputs: [S, hidden] each, h_i before sublayer i. A pass that does not ask for them does not return them. */
export function stateOutputs({ layers, hiddenSize }: ModelConfig): ValueInfoProto[] {
  const after = Array.from({ length: 2 * layers }, (_, i) => stateAfter(i));
  return [embeddedState, ...after].map((name) => stateOutput(name, hiddenSize));
}

/** One of them. */
export function stateOutput(name: string, hiddenSize: number): ValueInfoProto {
  return valueInfo(name, elementType.float, ['tokens', hiddenSize]);
}
