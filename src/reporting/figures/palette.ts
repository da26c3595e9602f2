/** Colours of a figure. */
export interface Palette {
  /** What figures of several series take in turn; Okabe and Ito's set, told apart by colour-blind readers too. */
  readonly series: readonly [string, ...string[]];
  /** Text and axes. */
  readonly text: string;
  /** Marks that stay in the background. */
  readonly faint: string;
  /** Of the whole figure; null where it lies on a page. */
  readonly background: string | null;
}

const light = ['#0072b2', '#d55e00', '#009e73', '#aa4499', '#b8860b', '#3b8ea5'] as const;
const dark = ['#56b4e9', '#ff9a56', '#2fc79a', '#e49ad0', '#e6c34a', '#8fd3e8'] as const;

/** Of a figure that is a file of its own: black on white, nothing that a viewer would have to look up. */
export const filePalette: Palette = {
  series: light,
  text: '#1a1a1a',
  faint: '#8a8a8a',
  background: '#ffffff',
};

/** Of a figure in a page that defines {@link paletteVariables}. */
export const pagePalette: Palette = {
  series: ['var(--series-0)', ...light.slice(1).map((_, i) => `var(--series-${i + 1})`)],
  text: 'currentColor',
  faint: 'var(--faint)',
  background: null,
};

/** The CSS declarations that {@link pagePalette} refers to. */
export function paletteVariables(scheme: 'light' | 'dark'): string {
  const series = scheme === 'light' ? light : dark;
  const faint = scheme === 'light' ? filePalette.faint : '#8b929c';
  return [...series.map((colour, i) => `--series-${i}: ${colour};`), `--faint: ${faint};`].join(
    ' ',
  );
}

/** The colour of series `i`; they come again after the last. */
export function seriesColour({ series }: Palette, i: number): string {
  return series[i % series.length]!;
}
