import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Time of the newest file under a folder. */
function newest(folder: string): number {
  return Math.max(
    ...readdirSync(join(root, folder), { recursive: true }).map(
      (name) => statSync(join(root, folder, String(name))).mtimeMs,
    ),
  );
}

/** Whether dist is there and newer than all sources: tests of the built package would else test what was built earlier. */
export const isBuilt =
  existsSync(join(root, 'dist/src/cli/main.js')) &&
  ['src', 'commands'].every((folder) => newest(folder) <= newest('dist'));
