import type { Task } from './task.js';

/** More messages than this in one conversation are refused. */
const MAX_MESSAGES = 1000;

/**
 * The user's turns of a conversation. What the assistant said is left out, as the model under test answers itself. A
 * system message goes before the first turn with a blank line between, which is what the chat templates of models without
 * a system role do: a prompt has no place of its own for it.
 * @param fault makes the error for a field, named from the row on, and what it must be
 * @throws what `fault` makes: not a list of messages, an unknown role, no text, a blank or missing user turn, a system
 *   message that comes after a user's
 */
export function userTurns(
  messages: unknown,
  { field, role: roleField, text: textField, roles }: NonNullable<Task['messages']>,
  fault: (field: string, wanted: string) => Error,
): string[] {
  if (!Array.isArray(messages)) throw fault(field, 'must be a list of messages');
  if (messages.length > MAX_MESSAGES)
    throw fault(field, `must not have more than ${MAX_MESSAGES} messages`);
  const system: string[] = [];
  const turns: string[] = [];
  messages.forEach((message: unknown, i) => {
    const place = `${field}[${i}]`;
    if (!isObject(message)) throw fault(place, 'must be an object');
    const name = own(message, roleField);
    const role = typeof name === 'string' && Object.hasOwn(roles, name) ? roles[name] : undefined;
    if (role === undefined)
      throw fault(`${place}.${roleField}`, `must be one of ${Object.keys(roles).join(', ')}`);
    if (role === 'assistant') return;
    const text = plainText(own(message, textField));
    if (text === undefined)
      throw fault(
        `${place}.${textField}`,
        'must be a string or a list of {"type": "text", "text": "..."}, as only text can be read',
      );
    if (role === 'user') {
      if (text.trim() === '') throw fault(`${place}.${textField}`, 'must not be blank');
      turns.push(text);
    } else if (turns.length > 0)
      throw fault(place, 'is a system message, which must come before the first user message');
    else if (text.trim() !== '') system.push(text);
  });
  const [first, ...later] = turns;
  if (first === undefined) throw fault(field, 'must have a user message');
  return [[...system, first].join('\n\n'), ...later];
}

/** A string, or the text of a list of parts; undefined where some of it is no text. */
function plainText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) =>
    isObject(part) && own(part, 'type') === 'text' ? own(part, 'text') : undefined,
  );
  return texts.every((text) => typeof text === 'string') ? texts.join('') : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
