/** What an evaluation is begun with; one that is gone on with has the same. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Model } from '../engine/load-model.js';
import type { Environment } from '../measurement/environment.js';
import { profileSchema } from '../profile/schema.js';
import { type EvaluationDocument, evaluationSettings, type MeasuredProfile } from './document.js';
import type { Grid } from './grid.js';
import type { DatasetRecord } from './prompts.js';
import { BASELINE, type EvaluationSettings, type NamedMethod } from './run.js';

const text = z.string().max(10_000);

const dataset = z.object({
  name: text,
  split: text.nullable(),
  version: z.number(),
  hash: text,
  prompts: z.number(),
  chat_template: z.literal(true).exactOptional(),
  system: text.exactOptional(),
});

const lengths = z.array(z.int().min(1)).max(1000).readonly();
const grid = z.object({ prompt_tokens: lengths.nullable(), max_new_tokens: lengths });

export const startSchema = z.object({
  model_hash: text,
  precision: text,
  threads: z.number(),
  cpu: text,
  onnxruntime: text,
  sspec: text,
  settings: z.record(z.string(), z.union([z.number(), text])),
  grid: grid.nullable(),
  datasets: z.array(dataset).max(1000).readonly(),
  methods: z
    .array(z.object({ method: text, profile: text.nullable() }))
    .max(1000)
    .readonly(),
  profiles: z
    .array(z.object({ file: text, profile: profileSchema }))
    .max(1000)
    .readonly(),
});

/** Whatever decides what is measured, and on what. */
export type EvaluationStart = z.infer<typeof startSchema>;

/** What an evaluation is about to be begun with. */
export function evaluationStart(
  { engine }: Pick<Model, 'engine'>,
  settings: EvaluationSettings & { readonly grid?: Grid | undefined },
  methods: readonly NamedMethod[],
  datasets: readonly DatasetRecord[],
  profiles: readonly MeasuredProfile[],
  environment: Environment,
): EvaluationStart {
  const measured = [BASELINE, ...methods.filter(({ name }) => name !== BASELINE.name)];
  return startOf({
    ...{ datasets, profiles, environment, settings: evaluationSettings(engine, settings) },
    rows: measured.map(({ name, profile = null }) => ({ method: name, profile })),
  });
}

/** What an evaluation that there is was begun with. */
export function startOf({
  settings: { grid, ...settings },
  datasets,
  profiles,
  environment,
  rows,
}: Pick<EvaluationDocument, 'datasets' | 'profiles' | 'environment'> & {
  readonly settings: EvaluationDocument['settings'];
  readonly rows: readonly { readonly method: string; readonly profile: string | null }[];
}): EvaluationStart {
  const { model_hash = '', precision, threads, cpu, onnxruntime, sspec } = environment;
  const methods = new Map(
    rows.map(({ method, profile }) => [JSON.stringify([method, profile]), { method, profile }]),
  );
  return startSchema.parse({
    ...{ model_hash, precision, threads, cpu, onnxruntime, sspec, settings },
    ...{ grid: grid ?? null, datasets, profiles },
    methods: [...methods.values()],
  });
}

/** In which way two starts differ, as a clause after "it"; undefined where they are the same. */
export function startFault(had: EvaluationStart, now: EvaluationStart): string | undefined {
  if (had.model_hash !== now.model_hash) return 'was begun with another model';
  for (const key of ['precision', 'threads', 'cpu', 'onnxruntime', 'sspec'] as const)
    if (had[key] !== now[key])
      return `was begun with ${NAMES[key]} ${had[key]}, this run has ${now[key]}`;
  for (const [key, value] of Object.entries(now.settings))
    if (had.settings[key] !== value)
      return `was begun with ${key.replaceAll('_', ' ')} ${had.settings[key] ?? 'unset'}, this run has ${value}`;
  if (!isDeepStrictEqual(had.grid, now.grid))
    return `was begun with ${gridText(had.grid)}, this run has ${gridText(now.grid)}`;
  const methodsOf = ({ methods }: EvaluationStart) =>
    methods
      .map(({ method, profile }) => (profile === null ? method : `${method} (${profile})`))
      .join(', ');
  if (methodsOf(had) !== methodsOf(now))
    return `was begun with the methods ${methodsOf(had)}, this run has ${methodsOf(now)}`;
  for (const [i, { file, profile }] of now.profiles.entries())
    if (!isDeepStrictEqual(had.profiles[i]?.profile, profile))
      return `was begun with another content of ${file}`;
  return datasetFault(had.datasets, now.datasets);
}

function gridText(grid: EvaluationStart['grid']): string {
  if (grid === null) return 'no grid';
  const { prompt_tokens: prompt, max_new_tokens: most } = grid;
  const ofPrompt = prompt === null ? '' : `--prompt-tokens ${prompt.join(',')} and `;
  return `the grid of ${ofPrompt}--max-new-tokens ${most.join(',')}`;
}

const NAMES = {
  precision: 'the precision',
  threads: 'threads',
  cpu: 'the CPU',
  onnxruntime: 'onnxruntime',
  sspec: 'sspec',
};

function datasetFault(
  had: EvaluationStart['datasets'],
  now: EvaluationStart['datasets'],
): string | undefined {
  const namesOf = (datasets: EvaluationStart['datasets']) =>
    datasets.map(({ name }) => name).join(', ');
  if (namesOf(had) !== namesOf(now))
    return `was begun on the datasets ${namesOf(had)}, this run has ${namesOf(now)}`;
  for (const [i, dataset] of now.entries()) {
    const before = had[i]!;
    if (before.hash !== dataset.hash || before.version !== dataset.version)
      return `was begun when the dataset ${dataset.name} had other content`;
    if (before.prompts !== dataset.prompts)
      return `was begun with ${before.prompts} prompts of ${dataset.name}, this run has ${dataset.prompts}`;
    if (!isDeepStrictEqual(before, dataset))
      return `was begun with the prompts of ${dataset.name} put to the model in another way (--chat, --system)`;
  }
  return undefined;
}
