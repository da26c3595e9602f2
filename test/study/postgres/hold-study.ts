// A process for log.test.ts to kill: holds the study `s` of the database named as its argument.
import { postgresStorage } from '../../../src/study/postgres/storage.js';

const start = { sampler: 'random', seed: 1, bits: 4, context: {} };
const study = await postgresStorage(process.argv[2]!).open('s', start, { resume: true });
await study.append({ type: 'note', key: 'k', value: 7 });
process.stdout.write('held\n');
setInterval(() => {}, 1000);
