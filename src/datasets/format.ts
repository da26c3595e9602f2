import { InputError } from '../errors.js';
import type { Prompt } from './dataset.js';
import { userTurns } from './messages.js';
import type { Row } from './rows.js';
import type { Task } from './task.js';
import { renderTemplate, templateFields } from './template.js';

/**
 * The format of a file, told by the fields of its first row: of all tasks whose fields are there, the one that asks for
 * the most (HumanEval's `task_id` and `prompt` go before a plain `prompt`). A row that brings a `prompt` is never given
 * another by a benchmark's template.
 */
export function recogniseFormat(formats: readonly Task[], row: Row): Task | undefined {
  const fitting = formats.filter((task) => task.fields.every((name) => row.fields.has(name)));
  const asking = fitting.filter((task) => task.fields.includes('prompt'));
  return (asking.length > 0 ? asking : fitting).sort(
    (a, b) => b.fields.length - a.fields.length,
  )[0];
}

/**
 * Turns a row into a prompt as the task file says.
 * @param dataset name that the prompt carries
 * @param file named in errors
 * @throws InputError naming file, line and field: missing, of the wrong type, or a prompt that is blank
 */
export function toPrompt(task: Task, row: Row, dataset: string, file: string): Prompt {
  const fault = (field: string, wanted: string): InputError =>
    new InputError(
      `${file}, line ${row.line}: field "${field}" ${wanted} (the file is read as "${task.name}").`,
    );

  const missing = task.fields.find((name) => !row.fields.has(name));
  if (missing !== undefined) throw fault(missing, 'is missing');

  const { messages } = task;
  const fields = new Map(row.fields);
  if (messages) fields.set(messages.field, userTurns(fields.get(messages.field), messages, fault));

  const render = (template: string) =>
    renderTemplate(template, (field, index) => {
      const value = fields.get(field);
      const item = index === undefined ? value : Array.isArray(value) ? value[index] : undefined;
      if (typeof item === 'string') return item;
      throw fault(
        field,
        index === undefined ? 'must be a string' : `must list strings, ${index + 1} or more`,
      );
    });
  const rendered = render(task.template);
  if (rendered.trim() === '')
    throw fault(templateFields(task.template).join('", "'), 'must not be blank');

  /** A field that a row may lack; null means that it does. */
  const optional = <T>(
    field: string | null,
    convert: (value: unknown) => T | undefined,
    wanted: string,
  ): T | undefined => {
    const value = field === null ? null : (fields.get(field) ?? null);
    if (field === null || value === null) return undefined;
    const converted = convert(value);
    if (converted === undefined) throw fault(field, wanted);
    return converted;
  };
  const id = optional(task.id, text, 'must be a string or a number');
  const input = optional(
    task.input,
    (value) => (typeof value === 'string' ? value : undefined),
    'must be a string',
  );
  const category = optional(task.category, text, 'must be a string or a number');
  const withInput = (text: string) =>
    input === undefined || input.trim() === '' ? text : `${text}\n\n${input}`;
  const turns =
    task.instruction === null
      ? optional(task.turns, strings, 'must be a list of strings')
      : [withInput(render(task.instruction))];
  const reference = optional(
    task.reference,
    lines,
    'must be a string, a number or a list of strings',
  );
  return {
    id: id ?? `${dataset}-${row.line}`,
    dataset,
    prompt: withInput(rendered),
    stop: task.stop,
    ...(turns && { turns }),
    ...(category !== undefined && { category }),
    ...(reference !== undefined && { reference }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? value
    : undefined;
}

/** Text as it is; of a list (one reference per turn, or alternatives to a turn, which are lists again) a line each. */
function lines(value: unknown): string | undefined {
  return Array.isArray(value) ? strings(value.flat(Infinity))?.join('\n') : text(value);
}
