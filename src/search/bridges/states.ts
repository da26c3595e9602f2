import type { ModelConfig } from '../../checkpoint/model-config.js';
import type { Engine } from '../../engine/engine.js';
import type { ReplayInputs } from '../../engine/replay-inputs.js';

/** Bytes that the hidden states of a search may take. */
const mostBytes = 768 * 2 ** 20;

/** Positions whose states fit into {@link mostBytes}. */
export function stateRows({ layers, hiddenSize }: ModelConfig): number {
  return Math.floor(mostBytes / (4 * (2 * layers + 1) * hiddenSize));
}

/**
 * Hidden states of the full model before every sublayer, and after the last one, at every query of some passes.
 * @returns h_0 .. h_2L, [queries of all passes, hidden] each.
 */
export async function hiddenStates(
  engine: Engine,
  passes: readonly ReplayInputs[],
  onProgress: (done: number, total: number) => void,
): Promise<Float32Array[]> {
  const sublayers = await engine.loadSublayers();
  try {
    const { hiddenSize } = engine.config;
    const rows = passes.reduce((sum, { count }) => sum + count, 0);
    const states = Array.from(
      { length: sublayers.count + 1 },
      () => new Float32Array(rows * hiddenSize),
    );
    let at = 0;
    for (const [done, inputs] of passes.entries()) {
      let hidden = await sublayers.embed(inputs);
      states[0]!.set(hidden, at);
      for (let i = 0; i < sublayers.count; i++) {
        hidden = await sublayers.run(i, hidden, inputs);
        states[i + 1]!.set(hidden, at);
      }
      at += hidden.length;
      onProgress(done + 1, passes.length);
    }
    return states;
  } finally {
    await sublayers.close();
  }
}
