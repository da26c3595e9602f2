import { InputError } from '../../src/errors.js';
import { LockedError, type StudyLog } from '../../src/study/log.js';
import { describeLog } from './log-contract.js';

/** A log in memory, as a database would be one: nothing of a study's rules is in it. */
function memoryLog(studies: Map<string, unknown[]>): StudyLog {
  const locked = new Set<string>();
  const checkFree = (study: string) => {
    if (locked.has(study)) throw new LockedError(`${study} is locked.`, 'this test');
  };
  return {
    place: 'memory',
    placeOf: (study, record) => `memory/${study}${record === undefined ? '' : `#${record}`}`,
    list: async () => [...studies.keys()],
    read: async (study) => studies.get(study),
    async lock(study) {
      checkFree(study);
      locked.add(study);
      return {
        create: async (header, events = []) => void studies.set(study, [header, ...events]),
        resume: async () => {},
        async append(event) {
          // Slower than a file: other events may come meanwhile.
          await new Promise((done) => setImmediate(done));
          studies.get(study)!.push(event);
        },
        close: async () => void locked.delete(study),
      };
    },
    async remove(names) {
      const missing = names.find((name) => !studies.has(name));
      if (missing !== undefined) throw new InputError(`There is no study "${missing}" in memory.`);
      names.forEach(checkFree);
      for (const name of names) studies.delete(name);
    },
  };
}

describeLog('a log in memory', async () => {
  const studies = new Map<string, unknown[]>();
  return {
    log: memoryLog(studies),
    put: async (study, records) => void studies.set(study, [...records]),
  };
});
