import { InputError } from '../errors.js';

/** Pixels for each unit of a figure: sharp in print at half a page's width. */
const SCALE = 3;

/**
 * An SVG file's content as PNG.
 * @throws InputError where the optional package that draws it is not installed.
 */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await loadResvg();
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
    font: { loadSystemFonts: true, sansSerifFamily: 'DejaVu Sans' },
    logLevel: 'off',
  });
  return drawing.render().asPng();
}

async function loadResvg(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js');
  } catch {
    throw new InputError(
      'Figures as PNG need the optional package @resvg/resvg-js, which is not installed; run npm install @resvg/resvg-js.',
    );
  }
}
