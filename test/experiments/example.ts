import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Definition, readDefinition } from '../../experiments/lib/definition.js';
import type { ExperimentResult, ResultRow } from '../../experiments/lib/result.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/** The fields that an experiment cannot do without. */
export const FIELDS = {
  name: 'some',
  title: 'Some experiment',
  question: 'Does it run?',
  precisions: ['int8'],
  datasets: ['heldout'],
  limit: 2,
  max_new_tokens: 8,
  repetitions: 1,
  profiles: { mine: 'mine.json' },
  variants: [{ name: 'skip' }] as object[],
  figure: { form: 'bars', x: 'dataset', series: 'variant' },
};

/** Writes a definition; JSON is YAML too. @returns its path. */
export function writeDefinition(changes: object): string {
  const file = join(temporaryDirectory(), 'some.yaml');
  writeFileSync(file, JSON.stringify({ ...FIELDS, ...changes }));
  return file;
}

export function someDefinition(changes: object = {}): Definition {
  return readDefinition(writeDefinition(changes));
}

/** A row with the figures that a test needs. */
export function someRow(changes: Partial<ResultRow>): ResultRow {
  return {
    precision: 'int8',
    prompt_tokens: null,
    dataset: 'all',
    variant: 'skip',
    method: 'skip',
    draft_exit: 'fixed',
    draft_length: 4,
    threshold: null,
    speedup: 1.25,
    speedup_ci95: [1.2, 1.3],
    divergences: [],
    ...changes,
  };
}

export function someResult(
  rows: readonly ResultRow[],
  load = 0,
  experiment = 'some',
): ExperimentResult {
  const environment = {
    ...describeEnvironment({ threads: 2, precision: 'int8' }),
    load_average: [load, load, load],
    logical_cores: 2,
  };
  const settings = { max_new_tokens: 8, repetitions: 1 };
  return {
    ...{ experiment, title: 'Some experiment', question: 'Does it run?' },
    command: `experiments/run.ts experiments/${experiment}.yaml`,
    definition: { file: `experiments/${experiment}.yaml`, sha256: '0' },
    profiles: {},
    runs: [{ precision: 'int8', prompt_tokens: null, settings, datasets: [], environment }],
    rows,
  };
}
