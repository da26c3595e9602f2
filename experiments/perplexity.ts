/**
 * Perplexity of the bundled model at each precision, on the bundled held-out prompts (our own texts, not in the training data),
 * teacher-forced.
 *
 *     node --import ./test/register-typescript.mjs experiments/perplexity.ts [OUTPUT]
 */
import { loadDataset } from '../src/datasets/load.js';
import { loadModel } from '../src/engine/load-model.js';
import { precisions } from '../src/graph/quantise.js';
import { fullPasses, meanLoss } from './lib/loss.js';
import { writeJson } from './lib/output.js';

const [output = 'results'] = process.argv.slice(2);
const rows = [];
for (const precision of precisions) {
  const { engine, tokenizer, close } = await loadModel('demo', { precision });
  const texts = loadDataset('heldout').prompts.map(({ prompt }) => tokenizer!.encodePrompt(prompt));
  const { loss, tokens } = await meanLoss(fullPasses(engine), texts);
  rows.push({ precision, tokens, loss, perplexity: Math.exp(loss) });
  await close();
}
writeJson(output, 'perplexity', rows);
console.table(rows);
