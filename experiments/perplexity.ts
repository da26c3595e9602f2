/**
 * Perplexity of the bundled model at each precision and quantisation block, on the bundled held-out prompts (our own
 * texts, not in the training data), teacher-forced.
 *
 *     node --import ./test/register-typescript.mjs experiments/perplexity.ts
 */
import { loadDataset } from '../src/datasets/load.js';
import { loadModel } from '../src/engine/load-model.js';
import { writeFileAtomic } from '../src/files.js';
import { precisions } from '../src/graph/quantise.js';

const { prompts } = loadDataset('heldout');
const rows = [];
for (const precision of precisions) {
  const { engine, tokenizer } = await loadModel('demo', { precision });
  if (!tokenizer) throw new Error('the bundled model has a tokenizer');
  const vocabulary = engine.config.vocabSize;
  const cache = engine.createCache(engine.config.contextLength);
  let loss = 0;
  let tokens = 0;
  for (const { prompt } of prompts) {
    const ids = tokenizer.encodePrompt(prompt);
    const logits = await engine.forward(cache, ids, 0, engine.target, 'all');
    for (let i = 0; i + 1 < ids.length; i++) {
      const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const sum = row.reduce((a, b) => a + Math.exp(b - max), 0);
      loss += Math.log(sum) + max - row[ids[i + 1]!]!;
      tokens++;
    }
  }
  rows.push({ precision, tokens, loss: loss / tokens, perplexity: Math.exp(loss / tokens) });
  await engine.close();
}
writeFileAtomic('results/perplexity.json', `${JSON.stringify(rows, null, 2)}\n`);
console.table(rows);
