import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { parseFields, readTextFile } from '../json-file.js';
import { packageRoot } from '../package-root.js';
import { templateFields } from './template.js';

const MAX_TASK_BYTES = 1 << 16;

const fieldName = z.string().regex(/^\w+$/);
/** A bare file name: a task file can not point outside its own folder. */
const fileName = z.string().regex(/^[\w-]+\.jsonl$/);

/** How the rows of a dataset become prompts; the content of a task file. */
export const taskSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]+$/),
    /** What the continuations are: stories, help, code, math, chat, summary, text. */
    kind: z.string().min(1),
    /** Raised with every change of template, fields or stop strings. */
    version: z.int().positive(),
    description: z.string().min(1),
    licence: z.string().min(1),
    /** Prompt files next to the task file; only bundled datasets have them. */
    splits: z.strictObject({ calibration: fileName, heldout: fileName }).optional(),
    /** Fields that every row has. A file belongs to the task with the most fields found in its first row. */
    fields: z.array(fieldName).min(1),
    /** Field with the prompt's id; a row without it is called after its line. */
    id: fieldName.nullable().default(null),
    category: fieldName.nullable().default(null),
    /**
     * Parts that prompts are counted by, each with the categories that make it up; a category that none names is a part of
     * its own. Without it all prompts of a file are counted together.
     */
    parts: z
      .record(z.string().regex(/^[\w-]+$/), z.array(z.string()).min(1))
      .nullable()
      .default(null),
    /**
     * Field with the messages of a conversation, the fields that each has, and whose the names of its roles are. `turns`
     * and `template` find the list of user turns under the field's name.
     */
    messages: z
      .strictObject({
        field: fieldName,
        role: fieldName,
        text: fieldName,
        roles: z.record(fieldName, z.enum(['user', 'assistant', 'system'])),
      })
      .nullable()
      .default(null),
    /** Field with the list of user turns. */
    turns: fieldName.nullable().default(null),
    /** The prompt, with `{field}` and `{field[0]}` for what comes from the row. */
    template: z.string().min(1),
    /**
     * What a chat model is asked in place of the template, which is written to be continued; for rows that are instructions and
     * have no turns.
     */
    instruction: z.string().min(1).nullable().default(null),
    /** Field with text that follows the template after a blank line, in the rows that have some. */
    input: fieldName.nullable().default(null),
    /** Strings that end a continuation. */
    stop: z.array(z.string().min(1)),
    /** Field with the reference continuation. */
    reference: fieldName.nullable(),
  })
  .refine((task) => templateFields(task.template).every((name) => task.fields.includes(name)), {
    path: ['template'],
    message: 'names a field that is not among "fields"',
  })
  .refine(
    ({ instruction, fields }) =>
      instruction === null || templateFields(instruction).every((name) => fields.includes(name)),
    { path: ['instruction'], message: 'names a field that is not among "fields"' },
  )
  .refine(({ parts, category }) => parts === null || category !== null, {
    path: ['parts'],
    message: 'needs "category", the field that says which part a row belongs to',
  });

/** A parsed task file and its text, which goes into the hash of every dataset read with it. */
export type Task = z.output<typeof taskSchema> & { readonly source: string };

/**
 * Parses a task file.
 * @param source its YAML text
 * @param file named in errors
 * @throws InputError when it is not YAML or does not fit the schema
 */
export function parseTask(source: string, file: string): Task {
  let content: unknown;
  try {
    content = parse(source, { maxAliasCount: 0 });
  } catch (error) {
    throw new InputError(`${file} is not valid YAML: ${errorMessage(error)}`);
  }
  return { ...parseFields(taskSchema, content, file), source };
}

/** Folder of the bundled datasets and task files. */
export function datasetsDirectory(): string {
  return join(packageRoot(), 'datasets');
}

/**
 * Reads a task file of the package.
 * @param path relative to the datasets folder
 * @throws InputError when it is missing or wrong
 */
export function readTask(path: string): Task {
  const file = join(datasetsDirectory(), path);
  const source = readTextFile(file, MAX_TASK_BYTES);
  if (source === undefined) throw new InputError(`${file} is missing; install sspec again.`);
  return parseTask(source, file);
}

/** The formats of files that users bring: every task file in datasets/tasks. */
export function readFormats(): Task[] {
  const files = readdirSync(join(datasetsDirectory(), 'tasks')).filter((name) =>
    name.endsWith('.yaml'),
  );
  return files.sort().map((name) => readTask(join('tasks', name)));
}
