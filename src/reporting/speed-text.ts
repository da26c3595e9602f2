import { fallingPass } from '../measurement/pass-speed.js';
import { formatPercent, formatSeconds, formatSpeedup } from './format.js';
import type { QualityDocument, SpeedDocument } from './model-document.js';
import { table } from './table.js';

/** What passes cost here and what skipping could gain, for a terminal. */
export function speedText(speed: SpeedDocument): string {
  const verify = speed.verify.map(({ tokens, v }) => `${tokens}: ${v.toFixed(2)}`).join('  ');
  const { best_possible: best } = speed;
  const falling = fallingPass(speed.verify);
  const doubt = falling
    ? `\nA pass of ${falling.tokens} tokens was faster than one of ${falling.fewer}, which cannot be: the machine was busy or changed its speed. Trust none of\nthese figures; try again when it is quiet.`
    : '';
  return `${speed.precision}, ${speed.threads} threads, after ${speed.context} positions:
autoregressive decoding takes ${formatSeconds(speed.target_pass_seconds)} a token
v(M), a pass of M tokens over a pass of one:
  ${verify}${doubt}
c, a draft pass over a target pass: ${speed.c_floor.toFixed(2)} with every sublayer skipped,
  ${speed.c_without_attention.toFixed(2)} without attention, ${speed.c_without_mlp.toFixed(2)} without MLP
${speed.bit_exact ? 'A pass of M tokens gives the same bits as M passes of one: outputs are identical.' : 'Passes of one and of several tokens differ in bits here: outputs can differ at near-ties.'}
No mask can gain more than ${formatSpeedup(best.speedup)} (every drafted token accepted, c at its floor, drafts of ${best.draft_length}).

Expected speedup at the best draft length, by draft acceptance and c:
${expectedTable(speed)}`;
}

function expectedTable({ expected }: SpeedDocument): string {
  const costs = [...new Set(expected.map(({ c }) => c))];
  const acceptances = [...new Set(expected.map(({ acceptance }) => acceptance))];
  return table(
    [
      { key: 'acceptance' },
      ...costs.map((c) => ({ key: String(c), title: `c = ${c}`, align: 'right' as const })),
    ],
    acceptances.map((acceptance) => ({
      acceptance: String(acceptance),
      ...Object.fromEntries(
        expected
          .filter((cell) => cell.acceptance === acceptance)
          .map(({ c, speedup }) => [String(c), formatSpeedup(speedup)]),
      ),
    })),
  );
}

/** What each precision loses, for a terminal. */
export function qualityText(quality: QualityDocument): string {
  const rows = table(
    [
      { key: 'precision' },
      { key: 'perplexity', align: 'right' },
      { key: 'agreement', title: 'same top token', align: 'right' },
      { key: 'kl', title: 'KL divergence', align: 'right' },
    ],
    quality.precisions.map((row) => ({
      precision: row.precision,
      perplexity: row.perplexity.toFixed(2),
      agreement: formatPercent(row.argmax_agreement),
      kl: row.kl_divergence.toFixed(4),
    })),
  );
  return `Against fp32 on the bundled ${quality.dataset} texts, ${quality.tokens} tokens:\n${rows}`;
}
