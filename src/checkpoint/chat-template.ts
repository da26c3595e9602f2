import { Environment, Template } from '@huggingface/jinja';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { LimitedInterpreter } from './limited-interpreter.js';
import { withinTime } from './time-limit.js';

const MAX_TEMPLATE_CHARS = 1 << 20;
const MAX_RANGE = 100_000;
const TIMEOUT_MS = 1000;

/** One message of a conversation, as chat templates take it. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/**
 * Renders a conversation with a model's Jinja chat template, ready for the assistant's answer
 * (`add_generation_prompt`). The template comes from outside: it is interpreted, never run as JavaScript, and its length,
 * output, ranges and time are limited. It sees no clock (`strftime_now` is undefined), so a prompt does not depend on
 * the day; templates that ask for a date fall back to their own.
 * @param specialTokens named tokens such as `bos_token`, by the template's names
 * @param file where the template stands, for errors
 * @throws InputError when the template is broken, refuses the messages or passes a limit
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  specialTokens: Readonly<Record<string, string>>,
  file: string,
): string {
  if (template.length > MAX_TEMPLATE_CHARS)
    throw new InputError(
      `${file}: the chat template is longer than ${MAX_TEMPLATE_CHARS} characters.`,
    );
  try {
    const rendered = withinTime(TIMEOUT_MS, () => {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...GLOBALS, ...specialTokens }))
        environment.set(name, value);
      environment.set('messages', messages);
      environment.set('add_generation_prompt', true);
      return new LimitedInterpreter(environment).run(new Template(template).parsed).value;
    });
    if (rendered === undefined) throw new Error(`it takes longer than ${TIMEOUT_MS} ms`);
    const text = rendered.value;
    if (typeof text !== 'string') throw new Error('it does not render to text');
    return text;
  } catch (error) {
    throw new InputError(`${file}: the chat template cannot be rendered: ${errorMessage(error)}.`);
  }
}

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  range: (from: number, to?: number, step = 1) => {
    const [start, stop] = to === undefined ? [0, from] : [from, to];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    if (!(count <= MAX_RANGE)) throw new Error(`range() gives more than ${MAX_RANGE} numbers`);
    return Array.from({ length: count }, (_, i) => start + i * step);
  },
};
