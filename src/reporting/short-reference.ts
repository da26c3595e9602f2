import { basename } from 'node:path';

/** A model's reference where there is little room: of a path its end, a Hub id as it is. */
export function shortReference(model: string): string {
  const isPath = /^[./~]|\\|\/.*\/./.test(model);
  return (isPath && basename(model)) || model;
}
