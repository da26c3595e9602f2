/**
 * Held-out loss per kind of checkpoints and, where profiles are given, of their drafts alone (fp32, nats per token), on the 2%
 * of the corpus that encode.mjs holds out and on the bundled prompts, which are our own texts and in no training data.
 *
 *     node experiments/demo-model/encode.mjs ../shared/corpus ENCODED
 *     node --import ./test/register-typescript.mjs experiments/demo-model/heldout-loss.ts ENCODED models/demo \
 *       ../shared/models/starter-10m models/demo=results/search-demo.profile.json
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLED, loadDataset } from '../../src/datasets/load.js';
import type { DraftLease, Engine } from '../../src/engine/engine.js';
import { loadModel } from '../../src/engine/load-model.js';
import { writeFileAtomic } from '../../src/files.js';
import { readProfile } from '../../src/profile/profile.js';

/** Windows start afresh every so many tokens, so that models of different context lengths read the same. */
const windowTokens = 256;
/** A single long table would else be most of what is held out of the code. */
const windowsPerDocument = 4;
/** Stands before every document. */
const END_OF_TEXT = 0;

const [encoded, ...models] = process.argv.slice(2);
if (encoded === undefined || models.length === 0) {
  throw new Error('usage: heldout-loss.ts ENCODED MODEL[=PROFILE]...');
}

/** Sum of -log p of every token after the first, and their number. */
async function lossOf({ engine, gates }: Omit<DraftLease, 'release'>, ids: readonly number[]) {
  const { vocabSize } = engine.config;
  const logits = await engine.forward(engine.createCache(ids.length), ids, 0, gates, 'all');
  let loss = 0;
  for (let i = 0; i + 1 < ids.length; i++) {
    const row = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
    const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((a, b) => a + Math.exp(b - max), 0);
    loss += Math.log(sum) + max - row[ids[i + 1]!]!;
  }
  return { loss, tokens: ids.length - 1 };
}

async function meanLoss(
  passes: Omit<DraftLease, 'release'>,
  texts: readonly (readonly number[])[],
) {
  let loss = 0;
  let tokens = 0;
  for (const ids of texts) {
    if (ids.length < 2) continue;
    const part = await lossOf(passes, ids);
    loss += part.loss;
    tokens += part.tokens;
  }
  return { loss: loss / tokens, tokens };
}

/** The first windows of every document, of copies only one. */
function windows(kind: string): number[][] {
  const bytes = readFileSync(join(encoded!, `${kind}.held.u16`));
  const ids = Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2));
  const starts = ids.flatMap((id, at) => (id === END_OF_TEXT ? [at] : []));
  const documents = starts.map((start, i) => ids.slice(start, starts[i + 1]));
  const distinct = new Map(documents.map((document) => [document.join(' '), document]));
  return [...distinct.values()].flatMap((document) =>
    Array.from({ length: windowsPerDocument }, (_, i) =>
      document.slice(i * windowTokens, (i + 1) * windowTokens),
    ),
  );
}

async function passesOf(engine: Engine, profile: string | undefined): Promise<DraftLease> {
  if (profile === undefined) return { engine, gates: engine.target, release: async () => {} };
  const { skip_attention: attention, skip_mlp: mlp } = readProfile(profile);
  return engine.draft({ attention, mlp });
}

const rows: Record<string, unknown>[] = [];
for (const named of models) {
  const [reference, profile] = named.split('=') as [string, string | undefined];
  const { engine, tokenizer, close } = await loadModel(reference, { precision: 'fp32' });
  if (!tokenizer) throw new Error(`${reference} has no tokenizer`);
  const passes = await passesOf(engine, profile);
  const row: Record<string, unknown> = { model: named };
  const means: number[] = [];
  for (const kind of BUNDLED) {
    const { loss } = await meanLoss(passes, windows(kind));
    means.push(loss);
    row[kind] = loss;
  }
  row.mean_of_kinds = means.reduce((a, b) => a + b, 0) / means.length;
  const { prompts } = loadDataset('heldout');
  const texts = prompts.map(({ prompt }) => tokenizer.encodePrompt(prompt));
  row.bundled_prompts = (await meanLoss(passes, texts)).loss;
  rows.push(row);
  await passes.release();
  await close();
}
writeFileAtomic('results/heldout-loss.json', `${JSON.stringify(rows, null, 2)}\n`);
console.table(rows);
