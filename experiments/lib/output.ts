/** How experiments write what they found, each file whole or not at all. */
import { join } from 'node:path';
import { writeFileAtomic } from '../../src/files.js';
import { type Figure, fileSvg } from '../../src/reporting/figures/figure.js';
import { pngRenderer } from '../../src/reporting/png.js';

export function writeText(directory: string, file: string, text: string): void {
  writeFileAtomic(join(directory, file), text);
}

export function writeJson(directory: string, name: string, content: unknown): void {
  writeText(directory, `${name}.json`, `${JSON.stringify(content, null, 2)}\n`);
}

/** As SVG, and as PNG where the optional package that draws it is installed. */
export async function writeFigure(directory: string, figure: Figure | null): Promise<void> {
  if (!figure) return;
  const svg = fileSvg(figure);
  writeText(directory, `${figure.name}.svg`, svg);
  const render = await pngRenderer();
  if (render) writeFileAtomic(join(directory, `${figure.name}.png`), render(svg));
}
