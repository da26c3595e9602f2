import { join } from 'node:path';
import type { Random } from '../../../../src/random.js';
import { renderReport } from '../../../../src/reporting/report/render.js';
import { DecodedEvent, type StudyEvent, type StudyHeader } from '../../../../src/study/events.js';
import { journalStorage } from '../../../../src/study/journal.js';
import { summariseStudy } from '../../../../src/study/summary.js';
import type { Door } from '../door.js';
import { NAMES, pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { mutatePieces } from '../mutate-text.js';

const time = '2025-01-01T00:00:00.000Z';
const rule = { draft_exit: 'adaptive', draft_length: 6, threshold: 0.35 } as const;

const start = {
  ...{ sampler: 'bo', seed: 3, bits: 8 },
  context: { model_hash: 'abc', precision: 'int8', dataset: { name: 'é', hash: 'f' }, threads: 2 },
};
const header: StudyHeader = {
  ...{ schema: 'sspec-study', version: 1, study: 's', created: time, ...start },
};
const decoded = DecodedEvent.parse({
  ...{ type: 'decoded', measurement: '0123456789abcdef', method: 'skip', prompt: 0, repetition: 0 },
  ...{ order: 1, run: time, tokens: [1, 2, 3], finish_reason: 'length' },
  statistics: {
    ...{ new_tokens: 3, prefill_seconds: 0.1, decode_seconds: 0.2, draft_seconds: 0.05 },
    ...{ target_seconds: 0.1, target_passes: 2, draft_passes: 2, proposed_tokens: 2 },
    ...{ accepted_tokens: 1, reached: [2, 1], accepted_at: [1, 0] },
  },
  rounds: {
    drafted: [2, 0],
    accepted: [1, 0],
    draft_seconds: [0.05, 0],
    target_seconds: [0.05, 0.05],
  },
  ...{ elapsed_seconds: 0.3, peak_memory_bytes: 1e8 },
});
const events: readonly StudyEvent[] = [
  { type: 'note', key: 'settings', value: { trials: 4, finalists: 2 } },
  ...['01100000', '01111000', '00000011'].flatMap((mask, trial): StudyEvent[] => [
    { type: 'started', trial, candidate: { mask, ...rule }, time },
    {
      ...{ type: 'finished', trial, rule, score: 1 + trial / 10, variance: 0.01 },
      ...{ figures: { c: 0.5, draft_acceptance_rate: 0.8 }, seconds: 2, host: 'a' },
    },
  ]),
  { type: 'started', trial: 3, candidate: { mask: '11110000', ...rule }, time },
  { type: 'failed', trial: 3, reason: 'naïve' },
  decoded,
  { type: 'started', trial: 4, candidate: { mask: '00110000', ...rule }, time },
];
const records: readonly Json[] = JSON.parse(JSON.stringify([header, ...events]));
const lines = records.map((record) => `${JSON.stringify(record)}\n`);

function mutatedText(random: Random): string | Buffer {
  const kind = random.integer(4);
  if (kind === 0)
    return mutateBytes(random, Buffer.from(lines.join('')), Buffer.from(lines.join('')));
  if (kind === 1) return mutatePieces(random, lines, [...lines, ...NAMES, '\n']).join('');
  // One line in two is the header: all else depends on it.
  const at = random.integer(2) * random.integer(records.length);
  const line = `${mutateJson(random, records[at]!, pick(random, records))}\n`;
  return lines.map((other, i) => (i === at ? line : other)).join('');
}

/** The journal of a study: read, summed up, reported, and gone on with. */
export function journalDoor(): Door {
  return {
    name: 'journal',
    make: (random) => ({ 's.jsonl': mutatedText(random) }),
    async enter(folder) {
      const storage = journalStorage(folder);
      await storage.list();
      const record = await storage.read('s');
      summariseStudy(record);
      renderReport([{ kind: 'study', path: join(folder, 's.jsonl'), record }]);
      const study = await storage.open('s', start, { resume: true });
      await study.append({ type: 'note', key: 'resumed', value: true });
      await study.close();
    },
  };
}
