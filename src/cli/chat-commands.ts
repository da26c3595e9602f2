import { existsSync } from 'node:fs';
import { InputError } from '../errors.js';
import { sumStatistics } from '../evaluation/totals.js';
import { writeFileAtomic } from '../files.js';
import { chatTable } from '../reporting/chat.js';
import type { ChatSession } from './chat-session.js';
import { closest } from './did-you-mean.js';

const HELP: readonly (readonly [string, string])[] = [
  ['/stats', 'counts and times of the last answer and of all'],
  ['/system TEXT', 'a system message before all others; without TEXT none'],
  ['/reset', 'forget what was said'],
  ['/save FILE', "write the conversation as a line of JSON, in OpenAI's form"],
  ['/help', 'this list'],
  ['/quit', 'leave; so does Ctrl-D'],
];
const NAMES = HELP.map(([usage]) => usage.split(' ')[0]);

/** What a command came to: something to tell, or the end. */
export type CommandResult = { readonly text: string } | 'quit';

/** The command in a line, `/name rest`; undefined where the line is a message. Two slashes begin a message with one. */
export function parseCommand(line: string): { name: string; rest: string } | undefined {
  const match = /^(\/[a-z]\S*)(?:\s+(.*))?$/is.exec(line.trim());
  return match ? { name: match[1].toLowerCase(), rest: (match[2] ?? '').trim() } : undefined;
}

/** The message in a line that is no command. */
export function messageOf(line: string): string {
  return line.startsWith('//') ? line.slice(1) : line;
}

/** @throws InputError for a command that there is not, or that cannot be carried out. */
export function runCommand(
  { name, rest }: { name: string; rest: string },
  session: ChatSession,
  hasSystem: boolean,
): CommandResult {
  switch (name) {
    case '/quit':
    case '/exit':
      return 'quit';
    case '/help':
      return { text: HELP.map(([usage, what]) => `${usage.padEnd(14)}${what}`).join('\n') };
    case '/reset':
      session.reset();
      return { text: 'A new conversation.' };
    case '/system':
      if (!hasSystem)
        throw new InputError('The model has no chat template, so it takes no system message.');
      session.system = rest === '' ? undefined : rest;
      return { text: rest === '' ? 'No system message.' : 'The system message is set.' };
    case '/stats':
      return { text: statsText(session) };
    case '/save':
      return { text: save(session, rest) };
    default: {
      const meant = closest(name, NAMES);
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      throw new InputError(
        `There is no command ${name}${hint}; /help lists them, // begins a message with a slash.`,
      );
    }
  }
}

function statsText({ turns }: ChatSession): string {
  const last = turns.at(-1);
  if (!last) return 'Nothing has been answered yet.';
  const sum = (field: 'promptTokens' | 'cachedTokens' | 'seconds') =>
    turns.reduce((total, turn) => total + turn[field], 0);
  const all = {
    ...{ promptTokens: sum('promptTokens'), cachedTokens: sum('cachedTokens') },
    ...{ seconds: sum('seconds'), statistics: sumStatistics(turns), answers: turns.length },
  };
  return chatTable({ ...last, answers: 1 }, all);
}

function save(session: ChatSession, file: string): string {
  if (file === '') throw new InputError('/save needs the name of a file.');
  if (existsSync(file)) throw new InputError(`There is a file ${file} already; name another.`);
  const messages = session.messages();
  writeFileAtomic(file, `${JSON.stringify({ messages })}\n`);
  return `${messages.length} messages written to ${file}.`;
}
