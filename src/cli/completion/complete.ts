/** What may stand where a command line is being typed: no shell, no file, arithmetic on words alone. */

/** A command as completion needs to know it; oclif's own commands are of this form. */
export interface KnownCommand {
  /** `model:list`. */
  readonly id: string;
  readonly hidden?: boolean;
  readonly flags: Readonly<Record<string, KnownFlag>>;
  readonly args: Readonly<Record<string, KnownArgument>>;
}

interface KnownFlag {
  readonly type: string;
  readonly char?: string | undefined;
  readonly allowNo?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly delimiter?: string | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
}

interface KnownArgument {
  readonly options?: readonly string[] | undefined;
  readonly multiple?: boolean | undefined;
}

/** Names that are looked up only where they are asked for. */
export type NameKind = 'datasets' | 'benchmarks' | 'models' | 'studies';

/** What may stand in a place. */
export interface Place {
  readonly values: readonly string[];
  readonly names?: NameKind;
  readonly files?: 'files' | 'dirs';
}

const NOTHING: Place = { values: [] };

const FLAGS: Readonly<Record<string, Place>> = {
  dataset: { values: [], names: 'datasets', files: 'files' },
  holdout: { values: [], names: 'datasets', files: 'files' },
  model: { values: [], names: 'models', files: 'files' },
  study: { values: [], names: 'studies' },
};

const ARGUMENTS: Readonly<Record<string, Place>> = {
  compare: { values: [], files: 'files' },
  'dataset:show': { values: [], names: 'datasets', files: 'files' },
  'dataset:pull': { values: [], names: 'benchmarks' },
  'model:inspect': { values: [], names: 'models', files: 'files' },
  'model:pull': { values: [], names: 'models' },
  'model:rm': { values: [], names: 'models' },
  'profile:show': { values: [], files: 'files' },
  'profile:validate': { values: [], files: 'files' },
  'study:show': { values: [], names: 'studies' },
  'study:export': { values: [], names: 'studies' },
  'study:rm': { values: [], names: 'studies' },
  report: { values: [], names: 'studies', files: 'files' },
};

/** What is being typed, and what may stand there. */
export interface Completion {
  /** What there is of the word; what may stand there begins with it. */
  readonly word: string;
  /** Of a list what stands before it. */
  readonly before: string;
  readonly place: Place;
}

/**
 * Finds out what may stand in the last of some words.
 * @param words what was typed after `sspec`, the last one being typed; may be empty. Shells that break words at `=` give it by itself.
 */
export function completionOf(
  words: readonly string[],
  commands: readonly KnownCommand[],
): Completion {
  const word = words.at(-1) ?? '';
  const earlier = words.slice(0, -1);
  const found = commands
    .map((command) => ({ command, names: command.id.split(':') }))
    .filter(({ names }) => names.every((name, i) => earlier[i] === name))
    .sort((a, b) => b.names.length - a.names.length)[0];
  if (!found) return { word, before: '', place: { values: nextNames(earlier, commands) } };
  const { command, names } = found;
  const own = earlier.slice(names.length);
  const isGiven = word === '=' || own.at(-1) === '=';
  const given = isGiven ? own.at(word === '=' ? -1 : -2) : own.at(-1);
  const flag = given === undefined ? undefined : flagOf(command, given);
  if (flag) return valuePlace(flag[0], flag[1], word === '=' ? '' : word);
  const joined = /^(--[^=]+)=(.*)$/s.exec(word);
  const joinedFlag = joined && flagOf(command, joined[1]!);
  if (joinedFlag) {
    const value = valuePlace(...joinedFlag, joined[2]!);
    return { ...value, before: `${joined[1]}=${value.before}` };
  }
  const plain = { word, before: '' };
  if (word.startsWith('-')) return { ...plain, place: { values: flagNames(command) } };
  return { ...plain, place: argumentPlace(command, own) };
}

/** The next words of commands that begin with these. */
function nextNames(earlier: readonly string[], commands: readonly KnownCommand[]): string[] {
  const following = commands
    .filter(({ hidden }) => !hidden)
    .map(({ id }) => id.split(':'))
    .filter((names) => earlier.every((name, i) => names[i] === name))
    .flatMap((names) => names[earlier.length] ?? []);
  return [...new Set(following)];
}

/** The flag of a word that takes a value. */
function flagOf({ flags }: KnownCommand, word: string): [string, KnownFlag] | undefined {
  return Object.entries(flags).find(
    ([name, { type, char }]) =>
      type === 'option' && (word === `--${name}` || (char !== undefined && word === `-${char}`)),
  );
}

function valuePlace(name: string, flag: KnownFlag, typed: string): Completion {
  const { options, delimiter, helpValue } = flag;
  const start = delimiter === undefined ? 0 : typed.lastIndexOf(delimiter) + 1;
  const files = helpValue === 'DIR' ? 'dirs' : helpValue === 'FILE' ? 'files' : undefined;
  const place = options
    ? { values: options }
    : (FLAGS[name] ?? { values: [], ...(files && { files }) });
  return { word: typed.slice(start), before: typed.slice(0, start), place };
}

function flagNames({ flags }: KnownCommand): string[] {
  return Object.entries(flags).flatMap(([name, { allowNo }]) =>
    allowNo ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
}

function argumentPlace(command: KnownCommand, own: readonly string[]): Place {
  const given = own.filter((word, i) => {
    const isValue = i > 0 && flagOf(command, own[i - 1]!) !== undefined;
    return !word.startsWith('-') && !isValue;
  });
  const all = Object.values(command.args);
  const last = all.at(-1);
  const argument = all[given.length] ?? (last?.multiple ? last : undefined);
  if (!argument) return NOTHING;
  return argument.options ? { values: argument.options } : (ARGUMENTS[command.id] ?? NOTHING);
}
