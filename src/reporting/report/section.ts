import type { Column, Row } from '../columns.js';
import { columnTexts } from '../columns.js';
import { type Figure, pageSvg } from '../figures/figure.js';
import { type Content, html, Markup } from './html.js';

/** A part of the page that tells of one input. */
export interface Section {
  /** Fragment of its address, unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly headlines: readonly Headline[];
  /** In the order in which they stand in `body`. */
  readonly figures: readonly Figure[];
  readonly body: Content;
}

/** The figure that a section is read for. */
export interface Headline {
  readonly value: string;
  readonly tone: 'better' | 'worse' | 'even';
  /** One plain sentence. */
  readonly sentence: string;
}

/** Figures side by side, as many as fit. */
export function figureGrid(figures: readonly Figure[]): Content {
  if (figures.length === 0) return null;
  return html`<div class="figures">${figures.map(figureMarkup)}</div>`;
}

function figureMarkup(figure: Figure): Markup {
  const id = `figure-${figure.name}`;
  return html`<figure aria-labelledby="${id}"><h3 id="${id}">${figure.title}</h3>${new Markup(pageSvg(figure))}<figcaption>${figure.caption}</figcaption></figure>`;
}

/** A table with a caption; it scrolls by itself where the page is too narrow. The first column heads its rows. */
export function dataTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly Row[],
): Content {
  if (rows.length === 0) return null;
  const texts = columnTexts(columns, rows);
  const side = ({ right }: { readonly right: boolean }) => (right ? 'number' : 'text');
  const cell = (column: (typeof texts)[number], i: number, at: number) =>
    at === 0
      ? html`<th scope="row">${column.cells[i]}</th>`
      : html`<td class="${side(column)}">${column.cells[i]}</td>`;
  // Outside of what scrolls, so that it is read whole.
  return html`<p class="caption">${caption}</p><div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table aria-label="${caption}">
<thead><tr>${texts.map((column) => html`<th scope="col" class="${side(column)}">${column.title}</th>`)}</tr></thead>
<tbody>${rows.map((_, i) => html`<tr>${texts.map((column, at) => cell(column, i, at))}</tr>\n`)}</tbody>
</table></div>`;
}

/** Names and values; those without a value are left out. */
export function facts(pairs: readonly (readonly [string, string | null | undefined])[]): Content {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  if (known.length === 0) return null;
  return html`<dl>${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What the user was warned of when it was measured. */
export function warningLines(lines: readonly string[]): Content {
  return lines.map((line) => html`<p class="warning" role="note">${line}</p>\n`);
}

/** Command lines to reproduce what a section tells. */
export function commands(lines: readonly (string | null | undefined)[]): Content {
  const known = [...new Set(lines)].filter((line) => line !== null && line !== undefined);
  if (known.length === 0) return null;
  return html`<h3>Commands to reproduce</h3><pre class="commands" tabindex="0"><code>${known.join('\n')}</code></pre>`;
}
