import { FEWEST_PROMPTS } from '../../measurement/few-prompts.js';
import { METRICS } from '../../metrics/registry.js';
import { type Content, html } from './html.js';
import type { Headline, Section } from './section.js';
import { STYLE } from './style.js';

/** What the figures mean, as tables head them; the field's terms. */
const TERMS: readonly (readonly [string, string])[] = [
  [
    'speedup',
    `time per token of autoregressive decoding over that of the method, both measured in one run, interleaved, the prefill left out. Above 1 the method is faster. The interval is a bootstrap over prompts, repetitions nested; where 1 cannot be ruled out, for all comparisons of an evaluation together (Holm), the verdict is “not distinguishable from 1.0×”. Fewer than ${FEWEST_PROMPTS} prompts are too few for either.`,
  ],
  ...Object.values(METRICS).map(({ heading, meaning }) => [heading, meaning] as const),
  [
    'held out',
    'prompts that no search saw. Only they make a headline: the best of many noisy trials is biased upward.',
  ],
];

/**
 * The whole page: one file, no script, nothing from elsewhere.
 * @param refreshSeconds after which a browser loads it again; undefined: never.
 */
export function page(
  sections: readonly Section[],
  version: string,
  refreshSeconds?: number,
): string {
  const [first, ...others] = sections;
  const title = first && others.length === 0 ? first.title : 'Self-speculative decoding: report';
  const titled = (section: Section): Content =>
    others.length === 0 ? null : html`<h2>${section.title}</h2>`;
  const markup = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<meta name="generator" content="sspec ${version}">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="kicker">sspec report: speculative decoding with skipped sublayers</p>
<h1>${title}</h1>
${contents(sections)}
</header>
<main>
${sections.map((section) => html`<section id="${section.id}">${titled(section)}${headlines(section.headlines)}${section.body}</section>`)}
</main>
<footer>
<h2>Terms</h2>
<dl class="terms">${TERMS.map(([term, meaning]) => html`<div><dt>${term}</dt><dd>${meaning}</dd></div>`)}</dl>
<p>Made by sspec ${version}. The method: Zhang et al., “Draft & Verify: Lossless Large Language Model Acceleration via Self-Speculative Decoding”, ACL 2024, arXiv:2309.08168.</p>
</footer>
</body>
</html>
`;
  return markup.html;
}

/** Links to the sections, where there are several. */
function contents(sections: readonly Section[]): Content {
  if (sections.length < 2) return null;
  return html`<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
}

function headlines(list: readonly Headline[]): Content {
  if (list.length === 0) return null;
  return html`<ul class="headlines">${list.map(({ value, tone, sentence }) => html`<li class="${tone}"><strong>${value}</strong><span>${sentence}</span></li>`)}</ul>`;
}
