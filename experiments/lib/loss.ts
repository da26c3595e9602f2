import type { DraftLease, Engine } from '../../src/engine/engine.js';

/** What computes a pass: the model itself, or its draft. */
export type Passes = Omit<DraftLease, 'release'>;

/** The passes of the model itself. */
export function fullPasses(engine: Engine): Passes {
  return { engine, gates: engine.target };
}

/** Mean of -log p over every token of some texts but the first of each, teacher-forced, and how many there are. */
export async function meanLoss({ engine, gates }: Passes, texts: readonly (readonly number[])[]) {
  const { vocabSize, contextLength } = engine.config;
  const cache = engine.createCache(contextLength);
  let loss = 0;
  let tokens = 0;
  for (const ids of texts) {
    if (ids.length < 2) continue;
    const logits = await engine.forward(cache, ids, 0, gates, 'all');
    for (let i = 0; i + 1 < ids.length; i++) {
      const row = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const sum = row.reduce((a, b) => a + Math.exp(b - max), 0);
      loss += Math.log(sum) + max - row[ids[i + 1]!]!;
    }
    tokens += ids.length - 1;
  }
  return { loss: loss / tokens, tokens };
}
