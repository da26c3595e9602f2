import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of this package, where datasets/ and models/ lie: the nearest one above this module with a package.json.
 * So it is found from src/ and from dist/src/ alike.
 */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('The package.json of sspec is missing.');
    directory = parent;
  }
  return directory;
}
