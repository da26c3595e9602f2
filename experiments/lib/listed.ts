/** What lies in results/ beside the experiments of experiments/*.yaml, which describe themselves. */
import { z } from 'zod';
import { POOLED } from '../../src/evaluation/summary.js';
import { profileSchema } from '../../src/profile/schema.js';
import {
  formatBytes,
  formatInterval,
  formatPercent,
  formatSeconds,
  formatSpeedup,
} from '../../src/reporting/format.js';

/** A result, by the name of its files up to the first dot. */
export interface ListedResult {
  readonly shows: string;
  readonly command: string;
  /** Its main figures, from its JSON. */
  readonly figures?: (content: unknown) => readonly string[];
  /** Those of them that README.md tells; default: all. */
  readonly told?: RegExp;
}

const number = z.number();
const text = z.string();
const speedup = number.nullable();
const interval = z.tuple([number, number]).nullable();
const measured = { speedup, speedup_ci95: interval };

/** `1.12x [1.05, 1.20]` */
export function speedupText(of: {
  readonly speedup: number | null;
  readonly speedup_ci95: readonly [number, number] | null;
}): string {
  if (of.speedup === null) return 'not timed';
  const ends = of.speedup_ci95 ? ` ${formatInterval(of.speedup_ci95)}` : '';
  return `${formatSpeedup(of.speedup)}${ends}`;
}

/** What is told of results.json of an evaluation. */
export const evaluationRows = z.object({
  rows: z.array(
    z.object({
      ...{ ...measured, dataset: text, method: text },
      ...{ draft_acceptance_rate: speedup, identical_outputs: z.boolean() },
    }),
  ),
});

const script = (path: string) => `node --import ./test/register-typescript.mjs experiments/${path}`;
const profileOf = (name: string) => `results/search-demo${name}.profile.json`;

/** Figures of a file that is a list, a text for each element. */
function each<T>(row: z.ZodType<T>, tell: (row: T) => string) {
  return (content: unknown) => z.array(row).parse(content).map(tell);
}

const search = (shows: string, flags = '', name = ''): ListedResult => ({
  shows,
  command: `npx sspec search ${flags}--output ${profileOf(name)}`,
  figures(content) {
    const { holdout } = profileSchema.parse(content).figures;
    const kinds = Object.entries(holdout?.per_kind ?? {});
    const all = holdout ? ([['held out', holdout]] as const) : [];
    return [...all, ...kinds].map(([kind, figures]) => `${kind} ${speedupText(figures)}`);
  },
  told: /^held out/,
});

const evaluation = (shows: string): ListedResult => ({
  shows,
  command: `npx sspec eval --profile ${profileOf('')} --max-new-tokens 64 --repetitions 10 --methods lookup,skip,cascade --output-dir DIR`,
  figures: (content) =>
    evaluationRows
      .parse(content)
      .rows.filter(({ dataset, method }) => dataset === POOLED && method !== 'autoregressive')
      .map((row) => `${row.method} ${speedupText(row)}`),
});

export const LISTED: Readonly<Record<string, ListedResult>> = {
  'search-demo': search(
    'the profile that a search with defaults finds, measured on held-out prompts',
  ),
  'search-demo-seed-1': search(
    'the same search with another seed: how far it repeats',
    '--seed 1 ',
    '-seed-1',
  ),
  'search-demo-seed-2': search('the same search with a third seed', '--seed 2 ', '-seed-2'),
  'eval-demo': evaluation(
    'the first profile, prompt lookup and their cascade on all held-out prompts',
  ),
  'eval-demo-again': evaluation('the same once more: how far it repeats'),
  overlap: {
    shows: 'that no held-out document and no bundled prompt is in the training text',
    command: 'node experiments/demo-model/overlap.mjs ENCODED',
  },
  fidelity: {
    shows: 'predicted against measured speedups, half of the masks from the best predicted decile',
    command: script('fidelity.ts'),
    figures(content) {
      const ranks = z.object({ all: number, best_decile: number });
      const { masks, ...found } = z
        .object({
          ...{ masks: number, rank_correlation: ranks, retest_rank_correlation: ranks },
          median_prediction_error: number,
        })
        .parse(content);
      const both = ({ all, best_decile }: z.infer<typeof ranks>) =>
        `${all.toFixed(2)}, in the best decile ${best_decile.toFixed(2)}`;
      return [
        `${masks} masks: rank correlation ${both(found.rank_correlation)} (retest ${both(found.retest_rank_correlation)})`,
        `median error ${formatPercent(found.median_prediction_error)}`,
      ];
    },
  },
  audit: {
    shows:
      'speculative against autoregressive tokens over everything that can be varied; counts by each',
    command: `${script('audit.ts --threads 2 --tokens 154000')} && ${script('audit.ts')}`,
    figures(content) {
      const counts = { comparisons: number, tokens: number, near_ties: number, defects: number };
      const { total, by } = z
        .object({
          total: z.object(counts),
          by: z.object({ threads: z.record(text, z.object({ tokens: number })) }),
        })
        .parse(content);
      const threads = Object.entries(by.threads).map(
        ([threads, { tokens }]) =>
          `${tokens.toLocaleString('en')} with ${threads === '1' ? 'one thread' : `${threads} threads`}`,
      );
      return [
        `${total.tokens.toLocaleString('en')} tokens (${threads.join(', ')}) in ${total.comparisons.toLocaleString('en')} comparisons`,
        `${total.defects} defects, ${total.near_ties} near-ties`,
      ];
    },
  },
  samplers: {
    shows:
      'samplers of masks at equal cost, whole searches and the published way at full length beside them',
    command: script(
      `samplers.ts ${['', '-seed-1', '-seed-2'].map((name) => `--profile ${profileOf(name)}`).join(' ')}`,
    ),
    figures(content) {
      const held = { holdout_speedup: speedup, holdout_speedup_ci95: interval };
      const row = z.object({ ...held, group: text, ratio: speedup, ratio_ci95: interval });
      const { rows } = z.object({ rows: z.array(row) }).parse(content);
      return rows.map((row) => {
        const { holdout_speedup: speedup, holdout_speedup_ci95: speedup_ci95 } = row;
        const paper = speedupText({ speedup: row.ratio, speedup_ci95: row.ratio_ci95 });
        const over = row.group.startsWith('search') ? `, ${paper} the paper's way` : '';
        return `${row.group} ${speedupText({ speedup, speedup_ci95 })}${over}`;
      });
    },
    told: /^(bo|dp|random) ladder|^relaxed-gp paper/,
  },
  'heldout-loss': {
    shows: 'held-out loss of the bundled model by kind of text',
    command: script(
      `demo-model/heldout-loss.ts ENCODED models/demo STARTER models/demo=${profileOf('')}`,
    ),
    figures: each(
      z.object({ model: text, mean_of_kinds: number }),
      ({ model, mean_of_kinds }) => `${model}: ${mean_of_kinds.toFixed(3)}`,
    ),
  },
  perplexity: {
    shows: 'perplexity on the bundled held-out prompts by precision',
    command: script('perplexity.ts'),
    figures: each(
      z.object({ precision: text, perplexity: number }),
      ({ precision, perplexity }) => `${precision} ${perplexity.toFixed(2)}`,
    ),
  },
  'pass-speed': {
    shows: 'the price of verifying, and the best that any mask could gain',
    command: 'npx sspec model inspect demo --speed --json',
    figures(content) {
      const speed = z.object({
        verify: z.array(z.object({ tokens: number, v: number })),
        ...{ c_floor: number, best_possible: z.object({ speedup: number }) },
      });
      const { verify, c_floor, best_possible } = z.object({ speed }).parse(content).speed;
      const prices = verify
        .filter(({ tokens }) => tokens === 4 || tokens === 8)
        .map(({ tokens, v }) => `v(${tokens}) ${v.toFixed(2)}`);
      return [
        prices.join(', '),
        `the floor of c is ${c_floor.toFixed(2)}, so no mask can gain more than ${formatSpeedup(best_possible.speedup)}`,
      ];
    },
  },
  gates: {
    shows:
      'a one-token pass with gates over one without; a pass with every sublayer skipped over one with none',
    command: script('gates.ts'),
    figures: each(
      z.object({ precision: text, gated_over_ungated: number, all_skipped_over_gated: number }),
      ({ precision, gated_over_ungated: gated, all_skipped_over_gated: skipped }) =>
        `${precision} ${gated.toFixed(2)}, ${formatPercent(skipped)}`,
    ),
  },
  'compile-memory': {
    shows: 'peak memory while compiling 307M parameters',
    command: script('compile-memory.ts'),
    figures: each(
      z.object({ precision: text, peak_memory_bytes: number }),
      ({ precision, peak_memory_bytes }) => `${precision} ${formatBytes(peak_memory_bytes)}`,
    ),
  },
  'deep-miniature': {
    shows:
      'proof of the search on a random model built so that skipping is nearly free; of no real model',
    command: script('deep-miniature.ts'),
    figures(content) {
      const skipped = { inner_sublayers_skipped: number, outer_sublayers_skipped: number };
      const found = z
        .object({ layers: number, ...skipped, holdout: z.object(measured) })
        .parse(content);
      return [
        `held out ${speedupText(found.holdout)}`,
        `${found.inner_sublayers_skipped} of ${2 * (found.layers - 2)} inner sublayers skipped, ${found.outer_sublayers_skipped} of the outer`,
      ];
    },
  },
  'ask-cost': {
    shows: 'what one ask of a model-based sampler takes after many trials of a deep model',
    command: script('ask-cost.ts'),
    figures(content) {
      const times = { first_seconds: number, median_seconds: number, slowest_seconds: number };
      const { trials, bits, rows } = z
        .object({
          ...{ trials: number, bits: number },
          rows: z.array(z.object({ sampler: text, ...times })),
        })
        .parse(content);
      const told = rows.map(
        (row) =>
          `${row.sampler} median ${formatSeconds(row.median_seconds)}, slowest ${formatSeconds(row.slowest_seconds)}, first of a resumed study ${formatSeconds(row.first_seconds)}`,
      );
      return [`${trials} trials of ${bits} bits: ${told.join('; ')}`];
    },
  },
};
