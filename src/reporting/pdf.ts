import { buffer } from 'node:stream/consumers';

/** Points for each CSS pixel. */
const POINTS = 0.75;

/** Draws an SVG file's content as PDF: paths stay paths, and text is text. */
export type PdfRenderer = (svg: string) => Promise<Uint8Array>;

/** What draws figures as PDF, or null where the optional packages for it are not installed. */
export async function pdfRenderer(): Promise<PdfRenderer | null> {
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
