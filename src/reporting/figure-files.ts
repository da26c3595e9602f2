import type { FigureRenderer } from './figure-renderer.js';
import { type Figure, fileSvg } from './figures/figure.js';
import { pdfRenderer } from './pdf.js';
import { pngRenderer } from './png.js';

/** What draws figures beside SVG, by the endings of files; null where its packages are not installed. */
const RENDERERS: Readonly<Record<string, () => Promise<FigureRenderer | null>>> = {
  png: pngRenderer,
  pdf: pdfRenderer,
};

/** A figure as a file. */
export interface FigureFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/**
 * Every figure as SVG, and in each format that can be drawn here.
 * @param hasTitles whether their titles stand above them.
 */
export async function figureFiles(
  figures: readonly Figure[],
  hasTitles = true,
): Promise<FigureFile[]> {
  const formats: [ending: string, draw: FigureRenderer][] = [];
  for (const [ending, open] of Object.entries(RENDERERS)) {
    const draw = await open();
    if (draw) formats.push([ending, draw]);
  }
  const files: FigureFile[] = [];
  for (const figure of figures) {
    const svg = fileSvg(figure, hasTitles);
    files.push({ name: `${figure.name}.svg`, content: svg });
    for (const [ending, draw] of formats)
      files.push({ name: `${figure.name}.${ending}`, content: await draw(svg) });
  }
  return files;
}
