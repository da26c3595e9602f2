/**
 * How often prompt lookup is right, by where a match is and how many tokens it has: what decoding/lookup-length.ts starts from.
 * Calibration prompts, never those that results are measured on; rounds as decoding has them, ten tokens proposed in each.
 *
 *     node --import ./test/register-typescript.mjs experiments/lookup-acceptance.ts --model demo --model PATH
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
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';

const numbers = { maxNewTokens: 128 };
const flags = parseFlags(process.argv.slice(2), numbers, { model: ['demo'], output: 'results' });

const rows = [];
for (const reference of flags.model) {
  const model = await loadModel(reference);
  const name = model.tokenizer?.hasChatTemplate ? 'chat' : 'calibration';
  const dataset = loadDataset(name, { split: 'calibration' });
  const { prompts } = tokenizePrompts(model, [dataset], undefined);
  const lookup = createPromptLookup();
  const draft = new Int32Array(DEFAULT_LOOKUP_LENGTH);
  /** [2, 8]: by place and by length, the accepted tokens of the same draft included. */
  const counts = [0, 1].map(() =>
    Array.from({ length: MOST_MATCHED }, () => ({ tries: 0, accepted: 0 })),
  );
  let tokens = 0;
  let rounds = 0;
  for (const { tokens: prompt } of prompts) {
    const { maxNewTokens } = flags;
    const output = (await complete(model.engine, { prompt, maxNewTokens })).tokens;
    lookup.begin();
    lookup.append([...prompt, output[0]!]);
    for (let at = 1; at < output.length; rounds++) {
      const place = lookup.find();
      let accepted = 0;
      if (place > 0) {
        const matched = lookup.matched(place);
        const drafted = lookup.propose(place, Math.min(draft.length, output.length - at), draft);
        while (accepted < drafted && draft[accepted] === output[at + accepted]) accepted++;
        for (let i = 0; i < drafted && i <= accepted; i++) {
          const length = Math.min(matched + i, MOST_MATCHED);
          const count = counts[lookup.isEarlier(place) ? 1 : 0]![length - 1]!;
          count.tries++;
          if (i < accepted) count.accepted++;
        }
      }
      const emitted = output.slice(at, at + accepted + 1);
      lookup.append(emitted);
      at += emitted.length;
      tokens += emitted.length;
    }
  }
  const [current, earlier] = counts.map((chances) =>
    chances.map(({ tries, accepted }, i) => {
      return { matched: i + 1, tries, accepted: tries > 0 ? accepted / tries : null };
    }),
  );
  const modelName = reference.replace(/\/+$/, '').split('/').at(-1);
  const read = { model: modelName, dataset: name, prompts: prompts.length, new_tokens: tokens };
  rows.push({ ...read, tokens_per_round: tokens / rounds, current, earlier });
  await model.close();
}
writeJson(flags.output, 'lookup-acceptance', rows);
console.log(JSON.stringify(rows, null, 2));
