import { Flags } from '@oclif/core';

/** Where studies are kept. */
export const storageFlag = {
  storage: Flags.string({
    default: '.sspec/studies',
    env: 'SSPEC_STORAGE',
    helpValue: 'DIR',
    summary: 'Folder of the studies.',
  }),
};
