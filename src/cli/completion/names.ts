import { listCachedModels } from '../../checkpoint/hub-cache.js';
import { BENCHMARKS } from '../../datasets/benchmarks.js';
import { NAMED, SPLITS } from '../../datasets/load.js';
import { listCompiled } from '../../graph/compiled-list.js';
import { openStorage } from '../storage.js';
import type { NameKind } from './complete.js';

/** The names of a kind that there are here; none where they cannot be listed, as nobody wants an error while typing. */
export async function namesOf(kind: NameKind, storage: string): Promise<readonly string[]> {
  try {
    switch (kind) {
      case 'datasets':
        return [...NAMED, ...SPLITS];
      case 'benchmarks':
        return BENCHMARKS.map(({ name }) => name);
      case 'models': {
        const compiled = listCompiled().flatMap(({ references }) => references);
        const cached = listCachedModels().map(({ reference }) => reference);
        return [...new Set(['demo', ...cached, ...compiled])];
      }
      case 'studies':
        return await openStorage(storage).list();
    }
  } catch {
    return [];
  }
}
