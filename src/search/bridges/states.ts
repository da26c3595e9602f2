import type { ModelConfig } from '../../checkpoint/model-config.js';
import type { Engine } from '../../engine/engine.js';
import type { ReplayInputs } from '../../engine/replay-inputs.js';

/** Bytes that the hidden states of a search may take. */
const mostBytes = 1280 * 2 ** 20;

/** Positions whose states fit into {@link mostBytes}. */
export function stateRows({ layers, hiddenSize }: ModelConfig): number {
  return Math.floor(mostBytes / (4 * (2 * layers + 1) * hiddenSize));
}

/**
 * Hidden states of the full model before every sublayer, and after the last one, at every query of some passes.
 * @param gated an engine with gates.
 * @returns h_0 .. h_2L, [queries of all passes, hidden] each.
 */
export async function hiddenStates(
  gated: Engine,
  passes: readonly ReplayInputs[],
  onProgress: (done: number, total: number) => void,
): Promise<Float32Array[]> {
  const { hiddenSize, layers } = gated.config;
  const rows = passes.reduce((sum, { count }) => sum + count, 0);
  const states = Array.from({ length: 2 * layers + 1 }, () => new Float32Array(rows * hiddenSize));
  let at = 0;
  for (const [done, inputs] of passes.entries()) {
    const own = await gated.hiddenStates(inputs);
    for (const [i, hidden] of own.entries()) states[i]!.set(hidden, at);
    at += inputs.count * hiddenSize;
    onProgress(done + 1, passes.length);
  }
  return states;
}
