import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';

/** Whether an error is the disk's, and not the network's. */
export function isDiskFault(error: unknown): boolean {
  return /^E(NOSPC|DQUOT|FBIG|ROFS|IO|ACCES|PERM|NOENT|BADF)$/.test(errorCode(error) ?? '');
}

/** What to tell of an error that a blob's files met; others as they are. */
export function diskFault(error: unknown, blob: string): unknown {
  const code = errorCode(error);
  if (error instanceof InputError || code === undefined) return error;
  const folder = dirname(blob);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new InputError(
      `The disk of ${folder} is full: make room and run this again, it goes on from there (or set HF_HUB_CACHE to another disk).`,
    );
  return new InputError(`Cannot write ${join(folder, basename(blob))}: ${errorMessage(error)}`);
}
