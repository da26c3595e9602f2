import { join } from 'node:path';
import { checkWritable, writeFileAtomic } from '../../files.js';
import { fileSvg } from '../figures/figure.js';
import { pdfRenderer } from '../pdf.js';
import { pngRenderer } from '../png.js';
import type { ReportInput } from './inputs.js';
import { renderReport } from './render.js';

/** Where a report goes. */
export interface ReportTarget {
  /** The page. */
  readonly output: string;
  /** Folder for every figure as SVG, and as PNG and PDF where the optional packages that draw them are installed. */
  readonly figures?: string | undefined;
  /** Whether these have their titles in them, which a paper has below. Default: yes. */
  readonly titles?: boolean | undefined;
  /** The page loads itself again after so many seconds; undefined: never. */
  readonly refreshSeconds?: number | undefined;
}

/**
 * Writes a report. Everything is made before the first file is written, the page last, and each file whole or not at all.
 * @returns the figures' files.
 * @throws InputError when an input does not fit, or a file cannot be written.
 */
export async function writeReport(
  inputs: readonly ReportInput[],
  { output, figures: folder, titles = true, refreshSeconds }: ReportTarget,
): Promise<string[]> {
  checkWritable(output);
  const { html, figures } = renderReport(inputs, refreshSeconds);
  const files: { path: string; content: string | Uint8Array }[] = [];
  if (folder !== undefined) {
    const toPng = await pngRenderer();
    const toPdf = await pdfRenderer();
    for (const figure of figures) {
      const svg = fileSvg(figure, titles);
      files.push({ path: join(folder, `${figure.name}.svg`), content: svg });
      if (toPng) files.push({ path: join(folder, `${figure.name}.png`), content: toPng(svg) });
      if (toPdf)
        files.push({ path: join(folder, `${figure.name}.pdf`), content: await toPdf(svg) });
    }
  }
  for (const { path, content } of files) writeFileAtomic(path, content);
  writeFileAtomic(output, html);
  return files.map(({ path }) => path);
}
