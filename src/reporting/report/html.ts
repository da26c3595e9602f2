import { escapeXml } from '../figures/figure.js';

/** HTML that is safe to put into a page as it is. */
export class Markup {
  readonly html: string;

  /** @param html taken as it is: text from files goes through {@link html} instead. */
  constructor(html: string) {
    this.html = html;
  }
}

/** What may stand in a template: text is escaped, markup is not, null and undefined leave nothing. */
export type Content = string | number | Markup | null | undefined | readonly Content[];

/** A template of HTML whose values are escaped, in content and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.reduce((page, part, i) => page + written(values[i - 1]) + part));
}

function written(content: Content): string {
  if (content === null || content === undefined) return '';
  if (content instanceof Markup) return content.html;
  if (typeof content === 'object') return content.map(written).join('');
  return escapeXml(displayable(String(content)));
}

/** Text without what HTML does not allow: control characters but tab and newline, lone surrogates. */
function displayable(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\ufffe\uffff]/gu, '\ufffd').toWellFormed();
}
