/** What went wrong with a database, in one sentence that has no password in it. */
import { InputError } from '../../errors.js';
import { errorCode, errorMessage } from '../../files.js';
import { type DatabaseAddress, withoutPasswords } from './address.js';

/** By SQLSTATE (PostgreSQL's manual, appendix A) or Node's error code: how the sentence goes on behind the address. */
const REASONS: Readonly<Record<string, string>> = {
  '28P01': 'the server refuses user or password; check them (PGPASSWORD and ~/.pgpass work too)',
  '28000': 'the server lets this user in from here in no way (its pg_hba.conf says who may)',
  '3D000': 'there is no database of that name; make it (createdb), or name another',
  '42501':
    'this user lacks rights there; let it create a schema once, or grant it usage of the schema sspec',
  '25006': 'the server is read-only (a standby?); name the primary',
  '53100': 'the disk of the server is full; nothing of this was stored',
  '53200': 'the server is out of memory; try again later',
  '53300': 'the server has no connection left; try again later, or raise its max_connections',
  '57P03': 'the server is starting up or shutting down; try again in a moment',
  ECONNREFUSED: 'no server listens there; start it, or check host and port',
  ENOTFOUND: 'the host is not known; check its name',
  EAI_AGAIN: 'the name of the host cannot be looked up; check the network',
  EHOSTUNREACH: 'the host cannot be reached; check the network',
  ENETUNREACH: 'the host cannot be reached; check the network',
  ETIMEDOUT: 'the server does not answer; check host, port and firewall',
  ENOENT: "there is no such socket; check the server's folder",
};

/** The reason of a failed query or connection, as an error that the user can do something about. */
export function databaseFailure({ shown }: DatabaseAddress, error: unknown): InputError {
  if (error instanceof InputError) return error;
  return new InputError(`Cannot use ${shown}: ${reasonOf(error)}.`);
}

function reasonOf(error: unknown): string {
  // Of several addresses of one name none may answer: the first is told.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const known = REASONS[errorCode(first) ?? ''];
  if (known !== undefined) return known;
  const message = withoutPasswords(errorMessage(first)).trim().replace(/\.$/, '');
  if (/timeout/i.test(message)) return REASONS.ETIMEDOUT!;
  if (isConnectionLoss(first)) return `the connection was lost (${message})`;
  return message;
}

/** Whether the connection is gone, or the server on its way out: the same may work on a new connection. */
export function isConnectionLoss(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return (
    /^(?:08\w{3}|57P0[1-3]|ECONN\w+|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/.test(
      code,
    ) ||
    /connection (?:terminated|ended|timeout)|timeout exceeded|read timeout|not queryable/i.test(
      errorMessage(error),
    )
  );
}
