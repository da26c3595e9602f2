// A process for journal.test.ts to kill: appends trials to the study "killed" in the folder argv[2] and acknowledges
// each on stdout once it is stored.
import { journalStorage } from '../../src/study/journal.js';

const start = { sampler: 'random', seed: 0, bits: 4, context: {} };
const study = await journalStorage(process.argv[2]).open('killed', start, { resume: true });
const first = study.events.filter((event) => event.type === 'finished').length;
for (let trial = first; ; trial++) {
  const candidate = { mask: '0101', draft_exit: 'fixed', draft_length: 4, threshold: 0 } as const;
  await study.append({ type: 'started', trial, candidate, time: new Date().toISOString() });
  await study.append({
    type: 'finished',
    trial,
    score: trial,
    variance: 0,
    figures: {},
    seconds: 1,
  });
  process.stdout.write(`${trial}\n`);
}
