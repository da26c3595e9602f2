import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { folderBytes } from '../checkpoint/hub-cache.js';
import { cacheDirectory } from '../files.js';
import { readNames } from './compiled-names.js';
import type { Precision } from './quantise.js';

/** A compiled model in the cache folder. */
export interface StoredCompilation {
  readonly key: string;
  /** References that it was loaded by; none where that was before they were kept. */
  readonly references: readonly string[];
  readonly precision: Precision | null;
  readonly directory: string;
  readonly bytes: number;
  /** When it was compiled. */
  readonly created: Date;
}

/** The compiled models of the cache folder, newest first; a folder can be removed by hand, it is made again. */
export function listCompiled(): StoredCompilation[] {
  const folder = join(cacheDirectory(), 'models');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'model.onnx')) && !name.endsWith('.tmp'))
    .map((key) => {
      const directory = join(folder, key);
      const created = statSync(join(directory, 'model.onnx')).mtime;
      const { references, precision } = readNames(directory);
      return { key, references, precision, directory, bytes: folderBytes(directory), created };
    })
    .sort((a, b) => b.created.getTime() - a.created.getTime());
}
