/** Pixels for each unit of a figure: sharp in print at half a page's width. */
const SCALE = 3;
/** Where none of the figures' fonts is installed: resvg's own fallback has serifs, and is wider than figures allow for. */
const FALLBACK = 'DejaVu Sans';

/** What draws figures as PNG, or null where the optional package for it is not installed. */
export async function pngRenderer(): Promise<((svg: string) => Uint8Array) | null> {
  const resvg = await import('@resvg/resvg-js').catch(() => null);
  if (!resvg) return null;
  return (svg) => {
    const drawing = new resvg.Resvg(svg, {
      fitTo: { mode: 'zoom', value: SCALE },
      font: { loadSystemFonts: true, defaultFontFamily: FALLBACK, sansSerifFamily: FALLBACK },
      logLevel: 'off',
    });
    return drawing.render().asPng();
  };
}
