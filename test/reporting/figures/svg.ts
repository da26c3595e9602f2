import { DOMParser } from 'linkedom';
import { textWidth } from '../../../src/reporting/figures/text.js';

/** What the tests need of an element; the compiler knows no DOM here. */
export interface SvgElement {
  readonly textContent: string | null;
  readonly parentElement: SvgElement | null;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  querySelectorAll(selector: string): Iterable<SvgElement>;
}

/** The element under the root of an SVG file, as XML has it: nothing is mended, as it would be in a page. */
export function parseSvg(svg: string): SvgElement {
  return new DOMParser().parseFromString(svg, 'image/svg+xml')
    .documentElement as unknown as SvgElement;
}

/** Elements of a kind under the marks of a class, tooltips left out. */
export function marks(svg: SvgElement, className: string, tag: string): SvgElement[] {
  return [...svg.querySelectorAll(`.${className} ${tag}`)];
}

/** Corners of the space that a text takes at most. */
export interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The boxes of all texts, from the attributes alone: places, shifts and anchors are added up along the ancestors. */
export function textBoxes(svg: SvgElement): Box[] {
  return [...svg.querySelectorAll('text')].map((element) => {
    const text = element.textContent ?? '';
    let x = number(element, 'x');
    let y = 0;
    let anchor: string | null = null;
    let size: number | null = null;
    for (let at: SvgElement | null = element; at; at = at.parentElement) {
      const [, dx = '0', dy = '0'] =
        /translate\(([-\d.]+)(?:,([-\d.]+))?\)/.exec(at.getAttribute('transform') ?? '') ?? [];
      x += Number(dx);
      y += Number(dy);
      anchor ??= at.getAttribute('text-anchor');
      size ??= at.hasAttribute('font-size') ? number(at, 'font-size') : null;
    }
    const height = size ?? 0;
    for (const name of ['y', 'dy']) {
      const value = element.getAttribute(name) ?? '0';
      y += value.endsWith('em') ? Number.parseFloat(value) * height : Number(value);
    }
    const width = textWidth(text, height);
    const left = x - width * { start: 0, middle: 0.5, end: 1 }[anchor ?? 'start']!;
    return { text, left, right: left + width, top: y - 0.8 * height, bottom: y + 0.25 * height };
  });
}

/** Texts that the edge of the figure cuts. */
export function cutTexts(svg: SvgElement): Box[] {
  const [, , width, height] = svg.getAttribute('viewBox')!.split(' ').map(Number);
  return textBoxes(svg).filter(
    ({ left, right, top, bottom }) => left < 0 || top < 0 || right > width! || bottom > height!,
  );
}

function number(element: SvgElement, name: string): number {
  return Number.parseFloat(element.getAttribute(name) ?? '0');
}
