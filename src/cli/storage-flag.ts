import { Flags } from '@oclif/core';

/** Where studies are kept: a folder, or a database that many machines share. */
export const storageFlag = {
  storage: Flags.string({
    default: '.sspec/studies',
    env: 'SSPEC_STORAGE',
    helpValue: 'DIR|postgres://…',
    summary: 'Folder or PostgreSQL database of the studies (passwords: PGPASSWORD, ~/.pgpass).',
  }),
};
