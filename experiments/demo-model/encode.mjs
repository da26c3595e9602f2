// Encodes the training corpus with the demo model's tokenizer and holds out 2% of every file.
//
//   node experiments/demo-model/encode.mjs CORPUS_FOLDER OUT_FOLDER
//
// Writes OUT/<kind>.train.u16 and OUT/<kind>.held.u16 (little-endian token ids; every document is preceded by <|endoftext|>,
// id 0) and OUT/encode.json. A document is held out when the hash of its text says so, so that copies of one document fall on
// one side; a training document that contains a bundled prompt is left out.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';

const KINDS = { stories: 'stories.txt', help: 'tldr.txt', code: 'code.txt', math: 'math.txt' };
const [corpus, out] = process.argv.slice(2);
if (corpus === undefined || out === undefined) {
  throw new Error('usage: encode.mjs CORPUS_FOLDER OUT_FOLDER');
}
const root = fileURLToPath(new URL('../../', import.meta.url));
const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const tokenizer = new Tokenizer(
  json('models/demo/tokenizer.json'),
  json('models/demo/tokenizer_config.json'),
);

/** The bundled prompts of a kind, calibration and held-out. */
function bundledPrompts(kind) {
  return ['calibration', 'heldout'].flatMap((split) =>
    readFileSync(join(root, `datasets/${kind}/${split}.jsonl`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).prompt),
  );
}

const heldOut = (text) => createHash('sha256').update(text).digest().readUInt16LE(0) % 50 === 0;
mkdirSync(out, { recursive: true });
const summary = {};
for (const [kind, file] of Object.entries(KINDS)) {
  const documents = readFileSync(join(corpus, file), 'utf8')
    .split('<|endoftext|>\n')
    .map((text) => text.replace(/\n$/, ''))
    .filter((text) => text.trim() !== '');
  const prompts = bundledPrompts(kind);
  const ids = { train: [], held: [] };
  const count = { train: 0, held: 0, prompt: 0, held_bytes: 0 };
  for (const text of documents) {
    const side = heldOut(text) ? 'held' : 'train';
    if (side === 'train' && prompts.some((prompt) => text.includes(prompt.trim()))) {
      count.prompt++;
      continue;
    }
    count[side]++;
    if (side === 'held') count.held_bytes += Buffer.byteLength(text);
    ids[side].push(0);
    for (const id of tokenizer.encode(text, { add_special_tokens: false }).ids) ids[side].push(id);
  }
  for (const side of ['train', 'held']) {
    writeFileSync(join(out, `${kind}.${side}.u16`), Uint16Array.from(ids[side]));
  }
  summary[kind] = {
    documents_train: count.train,
    documents_held_out: count.held,
    documents_with_a_bundled_prompt: count.prompt,
    tokens_train: ids.train.length,
    tokens_held_out: ids.held.length,
    bytes_held_out: count.held_bytes,
  };
  console.log(kind, summary[kind]);
}
writeFileSync(join(out, 'encode.json'), `${JSON.stringify(summary, null, 1)}\n`);
