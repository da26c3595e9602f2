/** What a Hub reference `org/name[@revision][/file.gguf]` says. */
export interface HubReference {
  readonly org: string;
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A GGUF file by its path in the repository; null where the reference names none. */
  readonly file: string | null;
}

const ID = String.raw`(?<org>[A-Za-z0-9][\w.-]*)/(?<name>[A-Za-z0-9][\w.-]*)`;
const SEGMENT = String.raw`[A-Za-z0-9][\w.-]*`;
/** Every part is a plain name, so no path escapes. */
const WHOLE = new RegExp(`^${ID}(?:@(?<revision>${SEGMENT}(?:/${SEGMENT})*))?$`);
/** Before a file a revision is one name or, as the Hub has pull requests, `refs/pr/1`: other slashes belong to the file. */
const WITH_FILE = new RegExp(
  `^${ID}(?:@(?<revision>refs/${SEGMENT}/${SEGMENT}|${SEGMENT}))?/(?<file>[^@]+\\.[gG][gG][uU][fF])$`,
);
const DEFAULT_REVISION = 'main';

/** Reads a Hub reference; null when it is none. */
export function parseHubReference(ref: string): HubReference | null {
  const groups = (WITH_FILE.exec(ref) ?? WHOLE.exec(ref))?.groups;
  // The Hub itself forbids these two: ".." would be a path, "--" is what the cache puts between org and name.
  if (groups === undefined || /\.\.|--/.test(`${groups.org}/${groups.name}`)) return null;
  const { org, name, revision = DEFAULT_REVISION, file = null } = groups;
  if (revision.includes('..') || (file !== null && !isPlainPath(file))) return null;
  return { org, name, revision, file };
}

/** The reference as it is written, without a revision that goes without saying. */
export function formatHubReference({ org, name, revision, file }: HubReference): string {
  const at = revision === DEFAULT_REVISION ? '' : `@${revision}`;
  return `${org}/${name}${at}${file === null ? '' : `/${file}`}`;
}

/** Whether a path from outside stays below the folder that it is put in, on every system. */
export function isPlainPath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\\:\u0000-\u001f]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
