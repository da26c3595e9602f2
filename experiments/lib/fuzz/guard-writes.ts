/**
 * Notices writes outside a folder: it puts itself before the functions of node:fs that change something, for every module of the
 * process. (Node's own permissions forbid fsync and links altogether.)
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

/** How many of the first arguments are paths that are written to. */
const WRITING: Readonly<Record<string, number>> = {
  ...{ appendFile: 1, chmod: 1, cp: 2, copyFile: 2, link: 2, mkdir: 1, mkdtemp: 1, open: 1 },
  ...{ rename: 2, rm: 1, rmdir: 1, symlink: 2, truncate: 1, unlink: 1, utimes: 1, writeFile: 1 },
  createWriteStream: 1,
};

const outside = new Set<string>();
let allowed = '';

/** Begins to notice. @param folder the only one that may be written to; '' to notice nothing. */
export function guardWrites(folder: string): void {
  allowed = folder;
}

/** Paths outside the folder that something tried to write to since the last call. */
export function takeOutsideWrites(): string[] {
  const found = [...outside];
  outside.clear();
  return found;
}

/** Opening to read is no writing; 0 is O_RDONLY. */
function onlyReads(name: string, flags: unknown): boolean {
  return name === 'open' && [undefined, 'r', 'rs', 0].some((reading) => reading === flags);
}

function notice(name: string, args: readonly unknown[]): void {
  if (allowed === '' || onlyReads(name, typeof args[1] === 'function' ? undefined : args[1]))
    return;
  // The first path of a link is what it says, not what is written.
  const paths = args.slice(name === 'symlink' ? 1 : 0, WRITING[name]);
  for (const path of paths)
    if (typeof path === 'string' && !`${resolve(path)}${sep}`.startsWith(allowed + sep))
      outside.add(path);
}

for (const holder of [fs, fs.promises]) {
  for (const name of Object.keys(WRITING)) {
    for (const spelt of [name, `${name}Sync`]) {
      const original = Reflect.get(holder, spelt);
      if (typeof original !== 'function') continue;
      Reflect.set(holder, spelt, function guarded(this: unknown, ...args: unknown[]) {
        notice(name, args);
        return Reflect.apply(original, this, args);
      });
    }
  }
}
syncBuiltinESMExports();
