import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { InputError } from '../../src/errors.js';
import { errorMessage } from '../../src/files.js';
import { precisions } from '../../src/graph/quantise.js';
import { parseFields, readTextFile } from '../../src/json-file.js';

const MAX_DEFINITION_BYTES = 1 << 16;

const fileName = z.string().regex(/^[a-z0-9-]+$/, 'only lower-case letters, digits and hyphens');
const label = z.string().min(1).max(60);
const count = z.int().min(1);
const layers = z
  .array(z.int().min(0))
  .refine((list) => list.every((l, i) => l > list[i - 1] || !i), {
    message: 'layer numbers must ascend without repeats',
  });

/** A profile that the experiment finds itself, by `runSearch` on calibration prompts. */
const searchSchema = z.strictObject({
  /** Dataset whose calibration prompts are searched on. */
  search: z.string().min(1),
  trials: count,
  finalists: count,
  prompts_per_trial: count,
  max_new_tokens: z.int().min(2),
  seed: z.int().min(0),
});

/** One way of decoding: what the profile says, but for the fields given here. */
const variantSchema = z
  .strictObject({
    name: label.refine((name) => name !== 'autoregressive', {
      message: 'autoregressive decoding is part of every experiment; leave it out',
    }),
    method: z.enum(['skip', 'lookup', 'cascade']).default('skip'),
    /** A name among `profiles`; default: the first. */
    profile: label.optional(),
    skip_attention: layers.optional(),
    skip_mlp: layers.optional(),
    draft_length: count.optional(),
    draft_exit: z.enum(['fixed', 'threshold', 'adaptive', 'cost']).optional(),
    threshold: z.number().min(0).max(1).optional(),
    /** Pause drafting while it loses. */
    fallback: z.boolean().default(false),
  })
  .refine(({ method, name: _, ...rest }) => method !== 'lookup' || hasOnlyDefaults(rest), {
    message: 'lookup drafts without a model: give it only a name',
  })
  .refine(
    ({ draft_exit, threshold }) =>
      threshold === undefined || draft_exit === 'threshold' || draft_exit === 'adaptive',
    { message: 'needs the draft_exit "threshold" or "adaptive" beside it', path: ['threshold'] },
  );

function hasOnlyDefaults({ fallback, ...rest }: { fallback: boolean }): boolean {
  return !fallback && Object.values(rest).every((value) => value === undefined);
}

/** What rows may be laid out by; those of the first list are numbers. */
const NUMERIC_KEYS = ['prompt_tokens', 'draft_length', 'threshold'] as const;
const rowKey = z.enum([...NUMERIC_KEYS, 'variant', 'dataset', 'precision']);
export type RowKey = z.output<typeof rowKey>;

const figureSchema = z
  .strictObject({
    /** `lines`: speedup over a number. `bars`: a group for each x. `matrix`: a column for each x, a row for each series. */
    form: z.enum(['lines', 'bars', 'matrix']),
    x: rowKey,
    series: rowKey,
  })
  .refine(({ form, x }) => form !== 'lines' || NUMERIC_KEYS.some((key) => key === x), {
    message: `must be a number for lines: ${NUMERIC_KEYS.join(', ')}`,
    path: ['x'],
  });

const definitionSchema = z
  .strictObject({
    /** Results go to results/<name>.*; the file is <name>.yaml. */
    name: fileName,
    title: label,
    /** What it asks, in one sentence. */
    question: z.string().min(1).max(300),
    model: z.string().min(1).default('demo'),
    precisions: z.array(z.enum(precisions)).min(1),
    /** References as `sspec eval --dataset` takes them. */
    datasets: z.array(z.string().min(1)).min(1),
    /** Most prompts of each dataset. */
    limit: count,
    /** Cut or extend all prompts to so many tokens; every length is a run of its own. Default: as they are. */
    prompt_tokens: z.array(count).min(1).optional(),
    max_new_tokens: z.int().min(2),
    repetitions: count,
    profiles: z.record(label, z.union([z.string().min(1), searchSchema])).default({}),
    variants: z.array(variantSchema).min(1).max(40),
    figure: figureSchema,
  })
  .superRefine(({ profiles, variants, precisions, prompt_tokens = [] }, context) => {
    const known = Object.keys(profiles);
    const fault = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    for (const [field, list] of Object.entries({ precisions, prompt_tokens }))
      if (new Set<unknown>(list).size < list.length) fault([field], 'a value comes twice');
    if (precisions.length > 1 && Object.values(profiles).some((p) => typeof p !== 'string'))
      fault(['precisions'], 'a profile is searched at one precision; name one');
    variants.forEach(({ name, method, profile }, i) => {
      if (variants.findIndex((other) => other.name === name) < i)
        fault(['variants', i, 'name'], `"${name}" comes twice`);
      if (method === 'lookup') return;
      if (known.length === 0)
        fault(['variants', i], `${method} needs a mask, and there is nothing under "profiles"`);
      else if (profile !== undefined && !known.includes(profile))
        fault(['variants', i, 'profile'], `"${profile}" is none of ${known.join(', ')}`);
    });
  });

export type Variant = z.output<typeof variantSchema>;
export type ProfileSearch = z.output<typeof searchSchema>;
export type FigureLayout = z.output<typeof figureSchema>;

/** An experiment as its file says it. */
export interface Definition extends z.output<typeof definitionSchema> {
  readonly file: string;
  /** Of the file's text, hexadecimal. */
  readonly sha256: string;
}

/**
 * Reads an experiment's file.
 * @throws InputError when it is missing, not YAML, or has a field that does not fit.
 */
export function readDefinition(file: string): Definition {
  const source = readTextFile(file, MAX_DEFINITION_BYTES);
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
