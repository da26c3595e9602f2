import { join } from 'node:path';
import { writeFileAtomic } from '../../src/files.js';
import { toCsv } from '../../src/reporting/csv.js';
import { fileSvg } from '../../src/reporting/figures/figure.js';
import { pngRenderer } from '../../src/reporting/png.js';
import type { Definition } from './definition.js';
import { experimentFigure } from './figure.js';
import type { ExperimentResult } from './result.js';

/**
 * Writes <name>.csv, .svg, .png and .json, each whole or not at all; no .png where the optional package that draws it is missing. The
 * JSON is the last: where it is new, so are the others.
 * @throws InputError when a file cannot be written.
 */
export async function writeResult(
  directory: string,
  definition: Definition,
  result: ExperimentResult,
): Promise<void> {
  const write = (ending: string, content: string | Uint8Array) =>
    writeFileAtomic(join(directory, `${result.experiment}.${ending}`), content);
  write('csv', toCsv(result.rows));
  const figure = experimentFigure(definition, result);
  if (figure) {
    const svg = fileSvg(figure);
    write('svg', svg);
    const render = await pngRenderer();
    if (render) write('png', render(svg));
  }
  write('json', `${JSON.stringify(result, null, 2)}\n`);
}
