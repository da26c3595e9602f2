import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DRAFTERS } from '../../src/decoding/drafters/registry.js';
import { needsMask } from '../../src/decoding/method.js';
import { InputError } from '../../src/errors.js';
import { errorMessage } from '../../src/files.js';
import { precisions } from '../../src/graph/quantise.js';
import { parseFields, readTextFile } from '../../src/json-file.js';

const MAX_BYTES = 1 << 16;
const count = z.int().min(1);

/** A profile that the experiment finds itself, by `sspec search` on calibration prompts. */
const searchSchema = z.strictObject({
  search: z.string(),
  ...{ trials: count, finalists: count, prompts_per_trial: count },
  ...{ max_new_tokens: z.int().min(2), seed: z.int().min(0) },
});

/** One way of decoding: what the profile says, but for the fields given here. */
const variantSchema = z.strictObject({
  name: z.string(),
  method: z.enum(DRAFTERS.map(({ name }) => name)).default('skip'),
  /** A name among `profiles`; default: the first. */
  profile: z.string().optional(),
  draft_length: count.optional(),
  draft_exit: z.enum(['fixed', 'threshold', 'adaptive', 'cost']).optional(),
  threshold: z.number().min(0).max(1).optional(),
  /** Pause drafting while it loses. */
  fallback: z.boolean().default(false),
});

/** What rows may be laid out by. */
const rowKey = z.enum([
  ...(['prompt_tokens', 'draft_length', 'threshold'] as const),
  ...(['variant', 'dataset', 'precision'] as const),
]);

const definitionSchema = z
  .strictObject({
    /** Results go to results/<name>.*; the file is <name>.yaml. */
    name: z.string(),
    title: z.string(),
    /** What it asks, in one sentence. */
    question: z.string(),
    model: z.string().default('demo'),
    precisions: z.array(z.enum(precisions)).min(1),
    /** References as `sspec eval --dataset` takes them, and most prompts of each. */
    datasets: z.array(z.string()).min(1),
    limit: count,
    /** Cut or extend all prompts to so many tokens; every length is a run of its own. Default: as they are. */
    prompt_tokens: z.array(count).min(1).optional(),
    max_new_tokens: z.int().min(2),
    repetitions: count,
    profiles: z.record(z.string(), z.union([z.string(), searchSchema])),
    variants: z.array(variantSchema).min(1),
    /** `lines`: speedup over a number. `bars`: a group for each x. `matrix`: a column for each x, a row for each series. */
    figure: z.strictObject({
      form: z.enum(['lines', 'bars', 'matrix']),
      ...{ x: rowKey, series: rowKey },
    }),
  })
  .superRefine(({ profiles, variants }, { addIssue }) => {
    const known = Object.keys(profiles);
    const names = variants.map(({ name }) => name);
    variants.forEach(({ name, method, profile = known[0] }, i) => {
      const path = ['variants', i];
      const fault = (message: string) => addIssue({ code: 'custom', path, message });
      if (names.indexOf(name) < i) fault(`"${name}" comes twice`);
      if (needsMask(method) && (profile === undefined || !known.includes(profile)))
        fault(`its profile is none of "profiles" (${known.join(', ')})`);
    });
  });

export type RowKey = z.output<typeof rowKey>;
export type Variant = z.output<typeof variantSchema>;
export type ProfileSearch = z.output<typeof searchSchema>;
export type FigureLayout = Definition['figure'];

/** An experiment as its file says it. */
export interface Definition extends z.output<typeof definitionSchema> {
  readonly file: string;
  /** Of the file's text, hexadecimal. */
  readonly sha256: string;
}

/** @throws InputError when the file is missing, not YAML, or has a field that does not fit. */
export function readDefinition(file: string): Definition {
  const source = readTextFile(file, MAX_BYTES);
  if (source === undefined) throw new InputError(`There is no experiment ${file}.`);
  let content: unknown;
  try {
    content = parse(source, { maxAliasCount: 0 });
  } catch (error) {
    throw new InputError(`${file} is not valid YAML: ${errorMessage(error)}`);
  }
  const definition = parseFields(definitionSchema, content, file);
  const expected = basename(file, extname(file));
  if (definition.name !== expected)
    throw new InputError(`${file}: field "name" is ${definition.name}; call it ${expected}.`);
  return { ...definition, file, sha256: createHash('sha256').update(source).digest('hex') };
}
