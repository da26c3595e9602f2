import { paletteVariables } from '../figures/palette.js';
import { Markup } from './html.js';

const LIGHT = `--page: #ffffff; --text: #1c2024; --soft: #5a636e; --line: #d9dee4; --panel: #f6f7f9;
--better: #00684a; --worse: #a63a00; --accepted: #cdeee0; --corrected: #ffdfc2; --warning: #fff4d6; ${paletteVariables('light')}`;
const DARK = `--page: #14171a; --text: #e4e7ea; --soft: #a2abb5; --line: #343b42; --panel: #1d2226;
--better: #4fd6a7; --worse: #ff9a56; --accepted: #0f4a37; --corrected: #6a3c10; --warning: #3d3413; ${paletteVariables('dark')}`;

/**
 * The page's style. One column on a phone, figures two abreast where there is room; wide tables scroll by themselves. In
 * print everything is light and nothing scrolls.
 */
export const STYLE = new Markup(`
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 24px 16px 48px; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 16px; }
h2 { font-size: 1.35rem; margin: 40px 0 12px; padding-top: 16px; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 32px 0 8px; }
h4 { font-size: 1rem; margin: 24px 0 4px; }
h5 { font-size: .9rem; margin: 0; }
p { margin: 8px 0; max-width: 75ch; }
a { color: inherit; }
.kicker { color: var(--soft); font-size: .875rem; margin: 0 0 4px; }
nav ul { margin: 0; padding-left: 20px; }
.headlines { list-style: none; margin: 16px 0; padding: 0; display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.headlines li { background: var(--panel); border-left: 5px solid var(--soft); border-radius: 4px; padding: 12px 16px; }
.headlines strong { display: block; font-size: 2.25rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
.headlines .better { border-color: var(--better); } .headlines .better strong { color: var(--better); }
.headlines .worse { border-color: var(--worse); } .headlines .worse strong { color: var(--worse); }
.warning { background: var(--warning); border-radius: 4px; padding: 8px 12px; }
.figures { columns: 2 420px; column-gap: 40px; margin: 24px 0 0; }
figure { margin: 0 0 28px; max-width: 560px; break-inside: avoid; }
figure h3 { margin: 0 0 4px; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .875rem; line-height: 1.4; margin-top: 4px; }
.scroll { overflow-x: auto; margin: 0 0 24px; }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.caption { font-size: .8125rem; font-weight: 600; margin: 24px 0 6px; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--soft); }
tbody th { font-weight: 600; position: sticky; left: 0; background: var(--page); }
th:first-child, td:first-child { padding-left: 0; }
.number { text-align: right; white-space: nowrap; } thead .number { white-space: normal; }
dl { margin: 8px 0; font-size: .9rem; }
dl div { display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 12px; padding: 4px 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; }
pre { background: var(--panel); border-radius: 4px; padding: 12px; margin: 8px 0; overflow-x: auto; font-size: .8125rem;
  white-space: pre-wrap; }
pre, code, .code .prompt, .code .generated { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.legend { max-width: none; }
.accepted, .corrected, .target { border-radius: 3px; }
.accepted { background: var(--accepted); }
.corrected { background: var(--corrected); text-decoration: underline dotted; text-underline-offset: 3px; }
.target { text-decoration: underline solid var(--soft) 1px; text-underline-offset: 3px; }
.legend span { padding: 1px 5px; margin-right: 6px; display: inline-block; }
.prompt { white-space: pre-wrap; color: var(--soft); font-size: .875rem; max-width: none; border-left: 3px solid var(--line); padding-left: 10px; }
.prompt .name { display: block; font-size: .75rem; text-transform: uppercase; letter-spacing: .04em; }
.sides { display: grid; gap: 16px 32px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); }
.counts { color: var(--soft); font-size: .8125rem; margin: 0 0 6px; }
.generated { white-space: pre-wrap; margin: 0; font-size: .9375rem; }
.code .prompt, .code .generated { font-size: .8125rem; }
.code .prompt .name { font-family: system-ui, sans-serif; }
footer { color: var(--soft); font-size: .875rem; }
@media (max-width: 520px) { dl div { grid-template-columns: minmax(0, 1fr); gap: 0; } }
@media print {
  :root { color-scheme: light; ${LIGHT} }
  @page { margin: 14mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  .sides { grid-template-columns: 1fr 1fr; }
  .figures { columns: 2; column-gap: 24px; }
  figure { margin-bottom: 14px; }
  figure, .example, tr, dl div, .headlines li { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 6pt; } th, td { padding: 2px 3px; }
  nav { display: none; }
}
`);
