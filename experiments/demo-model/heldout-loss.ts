/**
 * Held-out loss per kind of checkpoints and, where profiles are given, of their drafts alone (fp32, nats per token), on the 2%
 * of the corpus that encode.mjs holds out and on the bundled prompts, which are our own texts and in no training data.
 *
 *     node experiments/demo-model/encode.mjs ../shared/corpus ENCODED
 *     node --import ./test/register-typescript.mjs experiments/demo-model/heldout-loss.ts ENCODED models/demo \
 *       ../shared/models/starter-10m models/demo=results/search-demo.profile.json [--output results]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mean } from 'simple-statistics';
import { BUNDLED, loadDataset } from '../../src/datasets/load.js';
import { skipGraph } from '../../src/engine/draft-graph.js';
import { loadModel } from '../../src/engine/load-model.js';
import { readProfile } from '../../src/profile/profile.js';
import { fullPasses, meanLoss } from '../lib/loss.js';
import { writeJson } from '../lib/output.js';

/** Windows start afresh every so many tokens, so that models of different context lengths read the same. */
const windowTokens = 256;
/** A single long table would else be most of what is held out of the code. */
const windowsPerDocument = 4;
/** Stands before every document. */
const END_OF_TEXT = 0;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { output: { type: 'string', default: 'results' } },
});
const [encoded, ...models] = positionals;
if (encoded === undefined || models.length === 0)
  throw new Error('usage: heldout-loss.ts ENCODED MODEL[=PROFILE]...');

/** The first windows of every document, of copies only one. */
function windows(folder: string, kind: string): number[][] {
  const bytes = readFileSync(join(folder, `${kind}.held.u16`));
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

const rows: Record<string, number | string>[] = [];
for (const named of models) {
  const [reference, profile] = named.split('=') as [string, string | undefined];
  const { engine, tokenizer, close } = await loadModel(reference, { precision: 'fp32' });
  if (!tokenizer) throw new Error(`${reference} has no tokenizer`);
  const skipped = profile === undefined ? undefined : readProfile(profile);
  const draft =
    skipped &&
    (await engine.draft(skipGraph({ attention: skipped.skip_attention, mlp: skipped.skip_mlp })));
  const lossOn = async (texts: number[][]) =>
    (await meanLoss(draft ?? fullPasses(engine), texts)).loss;
  const kinds: Record<string, number> = {};
  for (const kind of BUNDLED) kinds[kind] = await lossOn(windows(encoded, kind));
  const prompts = loadDataset('heldout').prompts.map(({ prompt }) => prompt);
  rows.push({
    ...{ model: named, ...kinds, mean_of_kinds: mean(Object.values(kinds)) },
    bundled_prompts: await lossOn(prompts.map((prompt) => tokenizer.encodePrompt(prompt))),
  });
  await draft?.release();
  await close();
}
writeJson(values.output, 'heldout-loss', rows);
console.table(rows);
