/** peers.md: the table of a comparison, and what one must know to read it. */
import type { Environment } from '../../src/measurement/environment.js';
import type { Column, Row } from '../../src/reporting/columns.js';
import {
  formatInterval,
  formatKnown,
  formatSeconds,
  formatSpeedup,
} from '../../src/reporting/format.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import type { ToldPeerRow } from './peers-file.js';
import type { PeerRow } from './peers-summary.js';

/** peers.json. */
export interface PeersDocument {
  readonly command: string;
  readonly model: string;
  readonly dataset: string;
  readonly max_new_tokens: number;
  readonly threads: number;
  readonly peers: readonly {
    readonly name: string;
    readonly version: string;
    readonly timer: string;
  }[];
  readonly rows: readonly PeerRow[];
  /** Sentences: what is left out, and why. */
  readonly left_out: readonly string[];
  readonly environment: Environment;
}

export const PEER_COLUMNS: readonly Column[] = [
  { key: 'engine' },
  { key: 'method' },
  { key: 'speed', title: 'tokens/s', align: 'right' },
  { key: 'own', title: 'over its own autoregressive', align: 'right' },
  { key: 'sspec', title: "over sspec's autoregressive", align: 'right' },
  { key: 'prefill', title: 'first token', align: 'right' },
  { key: 'same', title: 'same text', align: 'right' },
];

/** The rows of {@link PEER_COLUMNS}. */
export function peerTable(rows: readonly ToldPeerRow[]): Row[] {
  return rows.map((row) => ({
    engine: `${row.peer}, ${row.weights}`,
    method: row.method,
    speed: measured(row.tokens_per_second.toFixed(1), row.tokens_per_second_ci95, (end) =>
      end.toFixed(1),
    ),
    own: speedup(row.speedup, row.speedup_ci95),
    sspec: speedup(row.over_sspec, row.over_sspec_ci95),
    prefill: formatSeconds(row.prefill_seconds),
    same: formatKnown(row.same_texts, (same) => `${same} of ${row.prompts}`),
  }));
}

export function peersMarkdown(document: PeersDocument): string {
  const { rows, peers, left_out, environment, max_new_tokens, threads, dataset, model } = document;
  const prompts = Math.max(...rows.map((row) => row.prompts));
  const chosen = rows.flatMap(({ peer, method, setting }) =>
    setting ? [`${peer}, ${method}: ${setting}`] : [],
  );
  return `# sspec beside other engines

${model}, ${prompts} prompts of ${dataset}, at most ${max_new_tokens} new tokens, greedy, ${threads} threads, on ${environment.cpu} (${environment.time.slice(0, 10)}). All engines take turns on each prompt, in an order that rotates, each in a process of its own.

${toMarkdown(PEER_COLUMNS, peerTable(rows))}
In brackets 95% intervals by a bootstrap over prompts. Speeds are of decoding alone: the time from the first token to the last. "First token" is the median time to it, prefill and whatever an engine does before. "Same text" counts the prompts whose text is the engine's own autoregressive text, token by token. Weights are of one file, dequantised; int8, Q8_0 and fp32 are not the same work, so speeds of engines compare what a user gets, and only speedups compare methods.

What the times are of, beside the model's passes:

${peers.map(({ name, version, timer }) => `- ${name} (${version}): ${timer}.`).join('\n')}

Settings that were fastest on other prompts: ${chosen.join('; ') || 'none had a choice'}. sspec decodes with its profile, whose costs let it fall back to autoregressive decoding where drafting loses; its lookup goes on learning from one prompt to the next, as in any process.
${left_out.length > 0 ? `\nLeft out:\n\n${left_out.map((sentence) => `- ${sentence}`).join('\n')}\n` : ''}
Made by \`${document.command}\`.
`;
}

/** A run of fewer new tokens is a trial. */
const TELLING_TOKENS = 32;

/** What README.md tells: a table of fewer columns. */
export function peersBrief(
  rows: readonly ToldPeerRow[],
  { max_new_tokens, threads }: Pick<PeersDocument, 'max_new_tokens' | 'threads'>,
): string {
  const prompts = Math.max(...rows.map((row) => row.prompts));
  const shown = ['engine', 'method', 'speed', 'own', 'same'];
  const columns = PEER_COLUMNS.filter(({ key }) => shown.includes(key));
  return `${toMarkdown(columns, peerTable(rows))}
${prompts} prompts of Spec-Bench, at most ${max_new_tokens} new tokens each, ${threads} threads.${max_new_tokens < TELLING_TOKENS ? ' **A trial run: so few tokens tell little of speeds, and less of whether texts stay the same.**' : ''}
`;
}

function speedup(value: number | null, interval: readonly [number, number] | null): string {
  return value === null ? '-' : measured(formatSpeedup(value), interval);
}

function measured(
  value: string,
  interval: readonly [number, number] | null,
  format?: (end: number) => string,
): string {
  if (!interval) return value;
  const ends = format ? `[${interval.map(format).join(', ')}]` : formatInterval(interval);
  return `${value} ${ends}`;
}
