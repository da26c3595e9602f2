import { type PlotOptions, plot } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { filePalette, type Palette, pagePalette } from './palette.js';
import { FONTS, labelText, textWidth } from './text.js';

/** Width of every figure, in its own units: a phone shows it at four fifths, with letters of ten pixels. */
export const FIGURE_WIDTH = 460;
/** Size of all letters but those of titles. */
export const FONT_SIZE = 12.5;

/** A line of the key: what marks of one colour and shape stand for. */
export interface KeyEntry {
  readonly label: string;
  readonly colour: string;
  readonly shape: 'dot' | 'ring' | 'line' | 'dashed' | 'square' | 'open-square' | 'star';
}

/** A figure before it is drawn. */
export interface Figure {
  /** Its file's name, without ending: letters, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences: what is shown, and how to read it. */
  readonly caption: string;
  readonly key: (palette: Palette) => readonly KeyEntry[];
  /** Marks, axes and margins; `width` is {@link FIGURE_WIDTH}. */
  readonly plot: (palette: Palette) => PlotOptions;
}

/** A figure as SVG for a page that defines the palette's variables: no title, which stands in the page. */
export function pageSvg(figure: Figure): string {
  return draw(figure, pagePalette);
}

/**
 * A figure as an SVG file of its own: black on white; the caption is its description.
 * @param hasTitle whether its title stands above it.
 */
export function fileSvg(figure: Figure, hasTitle = true): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${draw(figure, filePalette, hasTitle)}\n`;
}

const TITLE_SIZE = 15;
/** Bold letters are wider by this, at most. */
const BOLD = 1.15;
const KEY_LINE = 20;
const KEY_SIGN = 24;
const KEY_GAP = 16;
const EDGE = 6;

function draw(figure: Figure, palette: Palette, hasTitle = false): string {
  const title = labelText(figure.title, 60);
  const isFile = palette.background !== null;
  const { document } = parseHTML('<!doctype html><body></body>');
  const options = figure.plot(palette);
  const drawn = plot({
    ...options,
    document,
    width: FIGURE_WIDTH,
    style: { fontSize: `${FONT_SIZE}px`, overflow: 'visible' },
  });
  for (const style of drawn.querySelectorAll('style')) style.remove();
  const height = Number(drawn.getAttribute('height'));
  const titleHeight = hasTitle ? TITLE_SIZE + 16 : 0;
  const key = keyMarkup(figure.key(palette), titleHeight);
  const top = titleHeight + key.height;
  const marks = drawn.innerHTML;

  const described = isFile
    ? `${element('title', {}, title)}${element('desc', {}, labelText(figure.caption, 1000))}<rect width="100%" height="100%" fill="${palette.background}"/>`
    : '';
  const room = FIGURE_WIDTH - 2 * EDGE;
  const fitting = room / (BOLD * textWidth(title, 1));
  const size = Math.min(TITLE_SIZE, Math.floor(10 * fitting) / 10);
  const heading = hasTitle
    ? element(
        'text',
        { x: EDGE, y: TITLE_SIZE + 6, 'font-size': size, 'font-weight': 'bold' },
        title,
      )
    : '';
  const attributes = attributesText({
    ...(isFile ? { xmlns: 'http://www.w3.org/2000/svg' } : { role: 'img' }),
    viewBox: `0 0 ${FIGURE_WIDTH} ${height + top}`,
    ...(isFile ? { width: FIGURE_WIDTH, height: height + top } : {}),
    fill: 'currentColor',
    'font-family': FONTS,
    'font-size': FONT_SIZE,
    ...(isFile ? { color: palette.text } : { 'aria-label': title }),
  });
  // Put together as text: linkedom would read `<rect/>` as HTML does, as a tag that never closes.
  return `<svg${attributes}>${described}${heading}${key.markup}<g transform="translate(0,${top})" text-anchor="middle">${marks}</g></svg>`;
}

/** The key: entries side by side, on as many lines as they need. */
function keyMarkup(entries: readonly KeyEntry[], from: number): { markup: string; height: number } {
  if (entries.length === 0) return { markup: '', height: 0 };
  let x = EDGE;
  let line = 0;
  const parts = entries.map(({ label, colour, shape }) => {
    const text = labelText(label, 52);
    const width = KEY_SIGN + textWidth(text, FONT_SIZE);
    if (x > EDGE && x + width > FIGURE_WIDTH - EDGE) {
      x = EDGE;
      line++;
    }
    const y = from + KEY_LINE * line + KEY_LINE / 2 + 2;
    const markup = `${sign(shape, colour, x + 8, y)}${element('text', { x: x + KEY_SIGN, y, dy: '0.35em' }, text)}`;
    x += width + KEY_GAP;
    return markup;
  });
  return {
    markup: `<g aria-hidden="true">${parts.join('')}</g>`,
    height: KEY_LINE * (line + 1) + 6,
  };
}

/** Radius 5 about the centre. */
const STAR = 'M0,-6L1.6,-1.9L6,-1.8L2.6,0.9L3.7,5.1L0,2.6L-3.7,5.1L-2.6,0.9L-6,-1.8L-1.6,-1.9Z';

function sign(shape: KeyEntry['shape'], colour: string, x: number, y: number): string {
  switch (shape) {
    case 'dot':
      return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`;
    case 'ring':
      return `<circle cx="${x}" cy="${y}" r="3.5" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    case 'line':
    case 'dashed':
      return `<path d="M${x - 8},${y}h16" fill="none" stroke="${colour}" stroke-width="2"${shape === 'dashed' ? ' stroke-dasharray="4,3"' : ''}/>`;
    case 'square':
      return `<rect x="${x - 6}" y="${y - 6}" width="12" height="12" rx="2" fill="${colour}"/>`;
    case 'open-square':
      return `<rect x="${x - 5.5}" y="${y - 5.5}" width="11" height="11" rx="2" fill="none" stroke="${colour}"/>`;
    case 'star':
      return `<path d="${STAR}" transform="translate(${x},${y})" fill="${colour}"/>`;
  }
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text: string,
): string {
  return `<${name}${attributesText(attributes)}>${escapeXml(text)}</${name}>`;
}

function attributesText(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
}

/** Text as XML and HTML have it, in content and in quoted attributes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
