import { type TokenOrigin, tokenOrigin } from '../../decoding/token-pieces.js';
import type { RecordedRow } from '../../evaluation/results-file.js';
import type { RecordedSample } from '../../evaluation/samples-file.js';
import { formatSeconds } from '../format.js';
import type { MethodLabels } from '../method-labels.js';
import { counted } from './headline.js';
import { type Content, html } from './html.js';

/** Examples that are shown, of as many datasets as there are. */
const MOST_EXAMPLES = 4;
/** Characters of a prompt that are shown: its end, which the text goes on from. */
const PROMPT_END = 400;

interface Example {
  readonly plain: RecordedSample;
  readonly speculative: RecordedSample;
}

/**
 * The text of autoregressive decoding beside that of a speculative method, its tokens coloured by where they came from. The
 * method is the first one that drafts with a profile, else the first one.
 */
export function sideBySide(
  samples: readonly RecordedSample[],
  rows: readonly RecordedRow[],
  labels: MethodLabels,
): Content {
  const baseline = rows.find(({ verdict }) => verdict === 'baseline');
  const others = rows.filter(({ verdict }) => verdict !== 'baseline');
  const method = others.find(({ profile }) => profile !== null) ?? others[0];
  if (!baseline || !method) return null;
  const chosen = chooseExamples(samples, baseline, method);
  if (chosen.length === 0) return null;
  return html`<h3>Autoregressive and speculative text</h3>
<p class="legend">Tokens of ${labels.short(method)}: ${LEGEND.map(([origin, meaning]) => html`<span class="${origin}">${meaning}</span> `)}</p>
${chosen.map((example) => exampleMarkup(example, labels))}`;
}

const LEGEND: readonly (readonly [TokenOrigin, string])[] = [
  ['accepted', 'drafted and accepted'],
  ['corrected', 'the target’s, in place of a rejected one'],
  ['target', 'the target’s own'],
];

/** The first prompt of each dataset that both methods have text of. */
function chooseExamples(
  samples: readonly RecordedSample[],
  baseline: RecordedRow,
  method: RecordedRow,
): Example[] {
  const byPrompt = (row: RecordedRow) =>
    samples.filter((sample) => sample.method === row.method && sample.profile === row.profile);
  const plain = byPrompt(baseline);
  const seen = new Set<string>();
  const examples: Example[] = [];
  for (const speculative of byPrompt(method)) {
    const { dataset, prompt, pieces } = speculative;
    const other = plain.find((sample) => sample.dataset === dataset && sample.prompt === prompt);
    if (seen.has(dataset) || pieces === null || !other || other.text === null) continue;
    seen.add(dataset);
    examples.push({ plain: other, speculative });
    if (examples.length === MOST_EXAMPLES) break;
  }
  return examples;
}

function exampleMarkup({ plain, speculative }: Example, labels: MethodLabels): Content {
  const { dataset, prompt, prompt_text: text } = speculative;
  const kind = isCode(text ?? '') || isCode(plain.text ?? '') ? 'example code' : 'example';
  return html`<article class="${kind}"><h4>${dataset}, prompt ${prompt}</h4>
${text === null ? null : html`<p class="prompt"><span class="name">Prompt</span>${promptEnd(text)}</p>`}
<div class="sides"><div><h5>${labels.short(plain)}</h5><p class="counts">${counts(plain)}</p><p class="generated">${plain.text}</p></div>
<div><h5>${labels.short(speculative)}</h5><p class="counts">${counts(speculative)}</p><p class="generated">${tokens(speculative)}</p></div></div></article>`;
}

/** Whether a text's lines are indented, as those of programs are: then columns matter. */
function isCode(text: string): boolean {
  return /^(?: {2,}|\t)\S/m.test(text);
}

function promptEnd(text: string): string {
  const characters = [...text];
  return characters.length <= PROMPT_END ? text : `…${characters.slice(-PROMPT_END).join('')}`;
}

function counts(sample: RecordedSample): string {
  const { new_tokens, decode_seconds, target_passes, proposed_tokens, accepted_tokens } = sample;
  const parts = [
    counted(new_tokens, 'token'),
    `${formatSeconds(decode_seconds)} after the first`,
    counted(target_passes, 'target pass', 'target passes'),
  ];
  if (proposed_tokens > 0)
    parts.push(`${accepted_tokens} of ${proposed_tokens} drafted tokens accepted`);
  return parts.join(', ');
}

function tokens({ pieces, rounds }: RecordedSample): Content {
  const origins = tokenOrigins(rounds);
  // What is past the rounds (there should be nothing) is shown as the target's.
  return (pieces ?? []).map(
    (piece, i) => html`<span class="${origins[i] ?? 'target'}">${piece}</span>`,
  );
}

/** Where each token came from: the first from the prefill, then those of each round; the last round may have been cut. */
export function tokenOrigins({ drafted, accepted }: RecordedSample['rounds']): TokenOrigin[] {
  return [
    'target',
    ...drafted.flatMap((count, round) =>
      Array.from({ length: accepted[round]! + 1 }, (_, i) =>
        tokenOrigin(count, accepted[round]!, i),
      ),
    ),
  ];
}
