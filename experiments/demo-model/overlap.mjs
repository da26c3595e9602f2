// Whether held-out text occurs in the training text of the bundled model: whole documents, and runs of tokens.
//
//   node experiments/demo-model/encode.mjs CORPUS ENCODED
//   node experiments/demo-model/overlap.mjs ENCODED
//
// Writes results/overlap.json. A run is `RUN` tokens; a held-out run counts as seen where the very same tokens stand anywhere
// in the training tokens of its kind. Code shares licence heads and boilerplate, help pages share phrases, so single runs do
// occur; whole documents and bundled prompts must not (exit code 1 if one does).
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';

const RUN = 32;
const KINDS = ['stories', 'help', 'code', 'math'];
const [encoded] = process.argv.slice(2);
if (encoded === undefined) throw new Error('usage: overlap.mjs ENCODED');
const root = fileURLToPath(new URL('../../', import.meta.url));
const text = (path) => readFileSync(join(root, path), 'utf8');
const tokenizer = new Tokenizer(
  JSON.parse(text('models/demo/tokenizer.json')),
  JSON.parse(text('models/demo/tokenizer_config.json')),
);

function read(kind, side) {
  const bytes = readFileSync(join(encoded, `${kind}.${side}.u16`));
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

/** Documents of a token sequence; token 0 stands before each. */
function documents(ids) {
  const found = [];
  for (let from = 0; from < ids.length; ) {
    const next = ids.indexOf(0, from + 1);
    const to = next < 0 ? ids.length : next;
    found.push(ids.subarray(from + 1, to));
    from = to;
  }
  return found;
}

const key = (ids, from, length) =>
  Buffer.from(ids.buffer, ids.byteOffset + 2 * from, 2 * length).toString('latin1');
const hash = (ids) => createHash('sha256').update(key(ids, 0, ids.length)).digest('hex');

const result = { run_tokens: RUN, kinds: {} };
let isClean = true;
for (const kind of KINDS) {
  const train = documents(read(kind, 'train'));
  const held = documents(read(kind, 'held'));
  const whole = new Set(train.map(hash));
  // The held-out runs are the fewer: they are looked up while the training text goes by.
  const runs = new Map();
  for (const document of held) {
    for (let i = 0; i + RUN <= document.length; i++) runs.set(key(document, i, RUN), false);
  }
  const total = runs.size;
  for (const document of train) {
    for (let i = 0; i + RUN <= document.length; i++) {
      const run = key(document, i, RUN);
      if (runs.has(run)) runs.set(run, true);
    }
  }
  const prompts = ['calibration', 'heldout'].flatMap((split) =>
    text(`datasets/${kind}/${split}.jsonl`)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).prompt.trim()),
  );
  const trainText = train.map((ids) => tokenizer.decode(Array.from(ids))).join('\n');
  const seenPrompts = prompts.filter((prompt) => trainText.includes(prompt)).length;
  const copies = held.filter((document) => whole.has(hash(document))).length;
  result.kinds[kind] = {
    held_out_documents: held.length,
    held_out_documents_in_training: copies,
    held_out_runs: total,
    held_out_runs_in_training: [...runs.values()].filter(Boolean).length,
    bundled_prompts: prompts.length,
    bundled_prompts_in_training: seenPrompts,
  };
  isClean &&= copies === 0 && seenPrompts === 0;
  console.log(kind, result.kinds[kind]);
}
writeFileSync(join(root, 'results/overlap.json'), `${JSON.stringify(result, null, 2)}\n`);
if (!isClean) process.exitCode = 1;
