/**
 * How often prompt lookup is right, by the length of the n-gram and by where it was found: what decoding/lookup-length.ts starts
 * from. Calibration prompts, never those that results are measured on; rounds as decoding them has, ten tokens proposed in each.
 *
 *     node --import ./test/register-typescript.mjs experiments/lookup-acceptance.ts [MODEL ...]
 */
import { loadDataset } from '../src/datasets/load.js';
import { complete } from '../src/decoding/generate.js';
import {
  createPromptLookup,
  DEFAULT_LOOKUP_LENGTH,
  MOST_MATCHED,
} from '../src/decoding/prompt-lookup.js';
import { loadModel } from '../src/engine/load-model.js';
import { tokenizePrompts } from '../src/evaluation/prompts.js';
import { writeFileAtomic } from '../src/files.js';

const maxNewTokens = 128;
const models = process.argv.slice(2);
const share = (hits: number, tries: number) => ({
  tries,
  accepted: tries > 0 ? hits / tries : null,
});

const rows = [];
for (const reference of models.length > 0 ? models : ['demo']) {
  const model = await loadModel(reference);
  const datasets = [model.tokenizer?.hasChatTemplate ? 'chat' : 'calibration'];
  for (const name of datasets) {
    const data = [loadDataset(name, { split: 'calibration' })];
    const { prompts } = tokenizePrompts(model, data, undefined);
    const lookup = createPromptLookup();
    const draft = new Int32Array(DEFAULT_LOOKUP_LENGTH);
    /** By where the match is, and its length in tokens, those accepted of the same draft included. */
    const chances = new Map<string, { hits: number; tries: number }>();
    let tokens = 0;
    let rounds = 0;
    for (const { tokens: prompt } of prompts) {
      const output = (await complete(model.engine, { prompt, maxNewTokens })).tokens;
      lookup.begin();
      lookup.append([...prompt, output[0]!]);
      for (let at = 1; at < output.length; ) {
        const place = lookup.find();
        let accepted = 0;
        if (place > 0) {
          const where = lookup.isEarlier(place) ? 'earlier' : 'current';
          const matched = lookup.matched(place);
          const drafted = lookup.propose(place, Math.min(draft.length, output.length - at), draft);
          while (accepted < drafted && draft[accepted] === output[at + accepted]) accepted++;
          for (let i = 0; i < drafted && i <= accepted; i++) {
            const key = `${where} ${Math.min(matched + i, MOST_MATCHED)} ${i === 0 ? 'first' : 'later'}`;
            const chance = chances.get(key) ?? { hits: 0, tries: 0 };
            chances.set(key, chance);
            chance.tries++;
            if (i < accepted) chance.hits++;
          }
        }
        const emitted = output.slice(at, at + accepted + 1);
        lookup.append(emitted);
        at += emitted.length;
        tokens += emitted.length;
        rounds++;
      }
    }
    rows.push({
      model: reference.split('/').at(-1),
      dataset: data[0]!.name,
      prompts: prompts.length,
      new_tokens: tokens,
      tokens_per_round: tokens / rounds,
      chances: Object.fromEntries(
        [...chances].sort().map(([key, { hits, tries }]) => [key, share(hits, tries)]),
      ),
    });
  }
  await model.close();
}
writeFileAtomic('results/lookup-acceptance.json', `${JSON.stringify(rows, null, 2)}\n`);
for (const { chances, ...row } of rows) {
  console.log(row);
  console.table(chances);
}
