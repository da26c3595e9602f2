import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../files.js';
import { readJsonFile } from '../json-file.js';
import type { CompiledModel } from './compile.js';
import { precisions } from './quantise.js';

const FILE = 'names.json';
const MAX_BYTES = 1 << 20;
const MAX_REFERENCES = 100;

const schema = z.object({
  references: z.array(z.string()),
  precision: z.enum(precisions).nullable(),
});

/** What a compiled model was loaded as. */
export type CompiledNames = z.infer<typeof schema>;

/** Names of the compiled model in a folder; nothing is known of one from before they were kept. */
export function readNames(directory: string): CompiledNames {
  try {
    return schema.parse(readJsonFile(join(directory, FILE), MAX_BYTES));
  } catch {
    return { references: [], precision: null };
  }
}

/** Remembers what a compiled model, whose folder is named by its content alone, was loaded as: for lists and removal. */
export function recordName({ path, precision }: CompiledModel, reference: string): void {
  const directory = dirname(path);
  const { references } = readNames(directory);
  if (references.includes(reference)) return;
  const known = [...references, reference].slice(-MAX_REFERENCES);
  try {
    writeFileAtomic(join(directory, FILE), JSON.stringify({ references: known, precision }));
  } catch {
    // A cache that cannot be written serves as well without.
  }
}
