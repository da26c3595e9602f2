/** Addresses of databases: what is one, and how it is told without its password. */
import { InputError } from '../../errors.js';

const EXAMPLE = 'postgres://user@host:5432/database';

/** Whether a storage is named that is no folder. */
export function isDatabaseAddress(reference: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(reference);
}

/** An address of a database. */
export interface DatabaseAddress {
  /** As it was given, the password in it. */
  readonly connectionString: string;
  /** As it may be told. */
  readonly shown: string;
}

/**
 * @throws InputError for what is no address of a PostgreSQL database; the message has no password in it.
 */
export function parseAddress(reference: string): DatabaseAddress {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(reference)?.[0].toLowerCase();
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    throw new InputError(
      `Studies are kept in a folder or in a PostgreSQL database (${EXAMPLE}), not at ${scheme ?? 'such a'}://.`,
    );
  let url: URL;
  try {
    url = new URL(reference);
    decodeURIComponent(url.username + url.password + url.pathname);
  } catch {
    throw new InputError(
      `The address of the database cannot be read: write ${EXAMPLE}, with characters such as @, / and % of a password as %40, %2F and %25.`,
    );
  }
  if (url.pathname.length < 2)
    throw new InputError(`The address ${shownOf(url)} names no database: write ${EXAMPLE}.`);
  return { connectionString: reference, shown: shownOf(url) };
}

/** Passwords of addresses in a text, anywhere in it, replaced by stars. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(postgres(?:ql)?:\/\/[^\s:@/?#]*:)\S*(?=@)/gi, '$1***')
    .replace(/(postgres(?:ql)?:\/\/[^\s]*?[?&]password=)[^\s&'"]*/gi, '$1***');
}

/** Options may hold secrets too: they are left out. */
function shownOf({ protocol, username, host, pathname }: URL): string {
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}
