/**
 * What holds where a flag is not given: the environment (`SSPEC_MODEL` for `--model`), then a configuration file. Both become flags
 * in front of those that were typed, so that they are parsed alike and results name the whole command.
 */
import { InputError } from '../errors.js';
import { isDatabaseAddress, parseAddress } from '../study/postgres/address.js';
import { CONFIG_KEYS, type ConfigKey, readConfigFile } from './config-file.js';

/** Flags in place of those that were not typed. */
export interface DefaultFlags {
  readonly argv: readonly string[];
  /** By flag. */
  readonly sources: ReadonlyMap<string, FlagSource>;
}

/** A value that nobody typed. */
export interface FlagSource {
  readonly value: string;
  /** Where it comes from: `SSPEC_MODEL`, or the file. */
  readonly source: string;
}

/** Where a value stands; what stands further to the front goes before. */
const LEVELS = ['flag', 'environment', 'file'] as const;

interface Default extends FlagSource {
  readonly level: number;
}

/**
 * @param flags those that the command has.
 * @param argv what was typed.
 * @throws InputError for a variable or a file that cannot be used.
 */
export function defaultFlags(
  flags: readonly string[],
  argv: readonly string[],
  folder = process.cwd(),
): DefaultFlags {
  const wanted = CONFIG_KEYS.filter((key) => flags.includes(flagOf(key)));
  if (wanted.length === 0) return { argv: [], sources: new Map() };
  const config = readConfigFile(folder);
  const found = new Map<ConfigKey, Default>();
  for (const key of wanted) {
    const variable = variableOf(key);
    const set = process.env[variable];
    const configured = config?.values[key];
    if (isTyped(flagOf(key), argv)) found.set(key, { value: '', level: 0, source: '' });
    else if (set !== undefined && set !== '')
      found.set(key, { value: set, level: LEVELS.indexOf('environment'), source: variable });
    else if (config && configured !== undefined)
      found.set(key, {
        value: String(configured),
        level: LEVELS.indexOf('file'),
        source: config.file,
      });
  }
  for (const key of overruled(found)) found.delete(key);
  const given = [...found].filter(([, { level }]) => level > 0);
  return {
    argv: given.flatMap(([key, { value, source }]) => argument(key, value, source)),
    sources: new Map(given.map(([key, value]) => [flagOf(key), value])),
  };
}

/** A profile and the model that it was found for belong together: what is given of the two overrules weaker words on the other. */
function overruled(found: ReadonlyMap<ConfigKey, Default>): ConfigKey[] {
  const levelOf = (key: ConfigKey) => found.get(key)?.level ?? LEVELS.length;
  const [profile, model] = [levelOf('profile'), levelOf('model')];
  if (model < profile) return ['profile'];
  return (['model', 'precision'] as const).filter((key) => profile < levelOf(key));
}

function argument(key: ConfigKey, value: string, source: string): string[] {
  const flag = `--${flagOf(key)}`;
  if (key !== 'offline') return [flag, value];
  if (['1', 'true'].includes(value)) return [flag];
  if (['0', 'false'].includes(value)) return [];
  throw new InputError(`${source} is "${value}": give 1 or 0.`);
}

function flagOf(key: ConfigKey): string {
  return key.replaceAll('_', '-');
}

function variableOf(key: ConfigKey): string {
  return `SSPEC_${key.toUpperCase()}`;
}

function isTyped(flag: string, argv: readonly string[]): boolean {
  const own = argv.slice(0, argv.indexOf('--') >>> 0);
  return own.some((argument) => argument === `--${flag}` || argument.startsWith(`--${flag}=`));
}

/** What oclif ends some messages with. */
const SEE_HELP = /\n?See more help with --help$/;

/** Flags whose values are places that messages name without the flag. */
const PLACES = ['profile', 'storage'];

/** Says in the message of an error where what it is about comes from, as nobody typed it. */
export function withSources(
  { message, flag: about }: { readonly message: string; readonly flag?: string },
  sources: DefaultFlags['sources'],
): string {
  const isMeant = ([flag, { value }]: [string, FlagSource]) =>
    flag === about ||
    new RegExp(`--${flag}(?![\\w-])`).test(message) ||
    (PLACES.includes(flag) && message.includes(shownPlace(value)));
  const named = [...sources].filter(isMeant);
  if (named.length === 0) return message;
  const told = named.map(([flag, { source }]) => `--${flag} is from ${source}`).join(', ');
  return `${message.replace(SEE_HELP, '').replace(/\.$/, '')} (${told}).`;
}

/** A place as messages name it: of a database without its password. */
function shownPlace(value: string): string {
  try {
    return isDatabaseAddress(value) ? parseAddress(value).shown : value;
  } catch {
    return value;
  }
}
