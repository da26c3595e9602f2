import { join } from 'node:path';
import { readTimings } from '../../../../src/evaluation/samples-file.js';
import { readEvaluationInput } from '../../../../src/reporting/report/inputs.js';
import { renderReport } from '../../../../src/reporting/report/render.js';
import type { Door } from '../door.js';
import { NAMES, pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { mutatePieces } from '../mutate-text.js';
import { jsonOf } from './seeds.js';

const RESULTS = 'results.json';
const SAMPLES = 'samples.jsonl';

const sample = (prompt: number, method: string): Json => ({
  ...{ dataset: 'stories', prompt: `p${prompt}`, prompt_text: 'One day', turn: 1, method },
  ...{ profile: null, repetition: 0, new_tokens: 3, decode_seconds: 0.1, prefill_seconds: 0.02 },
  ...{ target_passes: 2, proposed_tokens: 2, accepted_tokens: 1, text: 'a <b> c' },
  ...{ pieces: ['a', ' <b>', ' c'], rounds: { drafted: [2, 0], accepted: [1, 0] } },
});

/** results.json and samples.jsonl of an evaluation: read, and made a page of. */
export function resultsDoor(): Door {
  const { profiles: _, ...whole } = Object(jsonOf('results', 'eval-demo.json'));
  const results: Json = { ...whole, rows: whole.rows.slice(0, 4) };
  const donor: Json = { ...whole, rows: whole.rows.slice(-3) };
  const samples = ['autoregressive', 'skip'].flatMap((method) =>
    [0, 1].map((i) => sample(i, method)),
  );
  const lines = samples.map((one) => `${JSON.stringify(one)}\n`);
  return {
    name: 'results',
    make(random) {
      const kind = random.integer(5);
      const files = { [RESULTS]: JSON.stringify(results), [SAMPLES]: lines.join('') };
      if (kind === 0)
        return {
          ...files,
          [SAMPLES]: mutatePieces(random, lines, [...lines, ...NAMES, '\n']).join(''),
        };
      if (kind === 1) {
        const line = `${mutateJson(random, pick(random, samples), results)}\n`;
        return { ...files, [SAMPLES]: [...lines, line].join('') };
      }
      if (kind === 2)
        return {
          ...files,
          [RESULTS]: mutateBytes(random, Buffer.from(files[RESULTS]), Buffer.from(lines.join(''))),
        };
      return { ...files, [RESULTS]: mutateJson(random, results, donor) };
    },
    enter(folder) {
      const input = readEvaluationInput(folder);
      readTimings(join(folder, SAMPLES));
      renderReport([input]);
    },
  };
}
