import { buffer } from 'node:stream/consumers';
import type { FigureRenderer } from './figure-renderer.js';

/** Points for each CSS pixel. */
const POINTS = 0.75;

/** What draws figures as PDF, paths as paths and text as text, or null where the optional packages for it are not installed. */
export async function pdfRenderer(): Promise<FigureRenderer | null> {
  const packages = await Promise.all([import('pdfkit'), import('svg-to-pdfkit')]).catch(() => null);
  if (!packages) return null;
  const [{ default: PdfDocument }, { default: svgToPdf }] = packages;
  return (svg) => {
    const [width = 0, height = 0] = ['width', 'height'].map(
      (name) => POINTS * Number(new RegExp(`<svg[^>]* ${name}="([\\d.]+)"`).exec(svg)?.[1]),
    );
    const colour = /<svg[^>]* color="([^"]+)"/.exec(svg)?.[1] ?? 'black';
    const document = new PdfDocument({
      ...{ size: [width, height], margin: 0 },
      // The same figure is the same file.
      info: { CreationDate: new Date(0) },
    });
    svgToPdf(document, svg.replaceAll('currentColor', colour), 0, 0, { warningCallback: () => {} });
    document.end();
    return buffer(document);
  };
}
