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

/** A file of results, by its name up to the first dot. */
export interface ListedResult {
  readonly shows: string;
  readonly command: string;
  /** Its main figures, from its content. */
  readonly figures?: (content: unknown) => string;
}

const script = (path: string) => `node --import ./test/register-typescript.mjs experiments/${path}`;

const measured = {
  speedup: z.number().nullable(),
  speedup_ci95: z.tuple([z.number(), z.number()]).nullable(),
};
/** What is told of results.json of an evaluation. */
export const evaluationRows = z.object({
  rows: z.array(
    z.object({
      ...{ ...measured, dataset: z.string(), method: z.string() },
      draft_acceptance_rate: z.number().nullable(),
      identical_outputs: z.boolean(),
    }),
  ),
});
const auditCounts = z.object({
  total: z.object({
    comparisons: z.number(),
    tokens: z.number(),
    near_ties: z.number(),
    defects: z.number(),
  }),
  by: z.object({ threads: z.record(z.string(), z.object({ tokens: z.number() })) }),
});
const fidelityFigures = z.object({
  masks: z.number(),
  rank_correlation: z.object({ all: z.number(), best_decile: z.number() }),
  retest_rank_correlation: z.object({ all: z.number(), best_decile: z.number() }),
  median_prediction_error: z.number(),
});
const askRows = z.object({
  trials: z.number(),
  bits: z.number(),
  rows: z.array(
    z.object({
      ...{ sampler: z.string(), first_seconds: z.number() },
      ...{ median_seconds: z.number(), slowest_seconds: z.number() },
    }),
  ),
});
const gateRows = z.array(
  z.object({
    ...{ precision: z.string(), gated_over_ungated: z.number() },
    all_skipped_over_gated: z.number(),
  }),
);
const passSpeed = z.object({
  speed: z.object({
    verify: z.array(z.object({ tokens: z.number(), v: z.number() })),
    c_floor: z.number(),
    best_possible: z.object({ speedup: z.number() }),
  }),
});
const memoryRows = z.array(z.object({ precision: z.string(), peak_memory_bytes: z.number() }));
const deepMiniature = z.object({
  layers: z.number(),
  ...{ inner_sublayers_skipped: z.number(), outer_sublayers_skipped: z.number() },
  holdout: z.object(measured),
});
const perplexityRows = z.array(z.object({ precision: z.string(), perplexity: z.number() }));
const lossRows = z.array(z.object({ model: z.string(), mean_of_kinds: z.number() }));

const samplerRows = z.object({
  rows: z.array(
    z.object({
      group: z.string(),
      holdout_speedup: measured.speedup,
      holdout_speedup_ci95: measured.speedup_ci95,
      ratio: z.number().nullable(),
      ratio_ci95: measured.speedup_ci95,
    }),
  ),
});

const samplersCommand = script(
  `samplers.ts ${['', '-seed-1', '-seed-2'].map((name) => `--profile results/search-demo${name}.profile.json`).join(' ')}`,
);
const demoEvaluation =
  'npx sspec eval --profile results/search-demo.profile.json --max-new-tokens 64 --repetitions 10 --methods lookup,skip,cascade --output-dir DIR';

function heldOutSpeedups(content: unknown): string {
  const { holdout } = profileSchema.parse(content).figures;
  if (!holdout) return '';
  const kinds = Object.entries(holdout.per_kind ?? {});
  return [
    `held out ${speedupText(holdout)}`,
    ...kinds.map(([kind, figures]) => `${kind} ${speedupText(figures)}`),
  ].join('; ');
}

function pooledSpeedups(content: unknown): string {
  return evaluationRows
    .parse(content)
    .rows.filter(({ dataset, method }) => dataset === POOLED && method !== 'autoregressive')
    .map((row) => `${row.method} ${speedupText(row)}`)
    .join('; ');
}

export const LISTED: Readonly<Record<string, ListedResult>> = {
  'search-demo': {
    shows: 'the profile that a search with defaults finds, measured on held-out prompts',
    command: 'npx sspec search --output results/search-demo.profile.json',
    figures: heldOutSpeedups,
  },
  'search-demo-seed-1': {
    shows: 'the same search with another seed: how far it repeats',
    command: 'npx sspec search --seed 1 --output results/search-demo-seed-1.profile.json',
    figures: heldOutSpeedups,
  },
  'search-demo-seed-2': {
    shows: 'the same search with a third seed',
    command: 'npx sspec search --seed 2 --output results/search-demo-seed-2.profile.json',
    figures: heldOutSpeedups,
  },
  overlap: {
    shows: 'that no held-out document and no bundled prompt is in the training text',
    command: 'node experiments/demo-model/overlap.mjs ENCODED',
  },
  fidelity: {
    shows: 'predicted against measured speedups, half of the masks from the best predicted decile',
    command: script('fidelity.ts'),
    figures: (content) => {
      const { masks, rank_correlation, retest_rank_correlation, median_prediction_error } =
        fidelityFigures.parse(content);
      const both = ({ all, best_decile }: { all: number; best_decile: number }) =>
        `${all.toFixed(2)}, in the best decile ${best_decile.toFixed(2)}`;
      return `${masks} masks: rank correlation ${both(rank_correlation)} (retest ${both(retest_rank_correlation)}); median error ${(100 * median_prediction_error).toFixed(1)}%`;
    },
  },
  'eval-demo': {
    shows: 'the first profile, prompt lookup and their cascade on all held-out prompts',
    command: demoEvaluation,
    figures: pooledSpeedups,
  },
  'eval-demo-again': {
    shows: 'the same once more: how far it repeats',
    command: demoEvaluation,
    figures: pooledSpeedups,
  },
  audit: {
    shows:
      'speculative against autoregressive tokens over everything that can be varied; counts by each',
    command: `${script('audit.ts --threads 2 --tokens 154000')} && ${script('audit.ts')}`,
    figures: (content) => {
      const { total, by } = auditCounts.parse(content);
      const count = (n: number) => n.toLocaleString('en');
      const threads = Object.entries(by.threads).map(
        ([number, { tokens }]) =>
          `${count(tokens)} with ${number === '1' ? 'one thread' : `${number} threads`}`,
      );
      return `${count(total.tokens)} tokens (${threads.join(', ')}) in ${count(total.comparisons)} comparisons; ${total.defects} defects, ${total.near_ties} near-ties`;
    },
  },
  samplers: {
    shows:
      'samplers of masks at equal cost, whole searches and the published way at full length beside them',
    command: samplersCommand,
    figures: (content) =>
      samplerRows
        .parse(content)
        .rows.map(
          ({ group, holdout_speedup: speedup, holdout_speedup_ci95: speedup_ci95, ...row }) =>
            `${group} ${speedupText({ speedup, speedup_ci95 })}${group.startsWith('search') ? `, ${speedupText({ speedup: row.ratio, speedup_ci95: row.ratio_ci95 })} the paper's way` : ''}`,
        )
        .join('; '),
  },
  'samplers-ladder-trials': {
    shows: 'their best score so far against trials',
    command: samplersCommand,
  },
  'samplers-ladder-seconds': {
    shows: 'their best score so far against seconds',
    command: samplersCommand,
  },
  'samplers-decode-trials': {
    shows: 'the same where every trial decodes',
    command: samplersCommand,
  },
  'samplers-decode-seconds': {
    shows: 'the same where every trial decodes, against seconds',
    command: samplersCommand,
  },
  'heldout-loss': {
    shows: 'held-out loss of the bundled model by kind of text',
    command: script(
      'demo-model/heldout-loss.ts ENCODED models/demo STARTER models/demo=results/search-demo.profile.json',
    ),
    figures: (content) =>
      lossRows
        .parse(content)
        .map(({ model, mean_of_kinds }) => `${model}: ${mean_of_kinds.toFixed(3)}`)
        .join('; '),
  },
  perplexity: {
    shows: 'perplexity on the bundled held-out prompts by precision',
    command: script('perplexity.ts'),
    figures: (content) =>
      perplexityRows
        .parse(content)
        .map(({ precision, perplexity }) => `${precision} ${perplexity.toFixed(2)}`)
        .join('; '),
  },
  'pass-speed': {
    shows: 'the price of verifying, and the best that any mask could gain',
    command: 'npx sspec model inspect demo --speed --json',
    figures: (content) => {
      const { verify, c_floor, best_possible } = passSpeed.parse(content).speed;
      const v = verify.filter(({ tokens }) => tokens === 4 || tokens === 8);
      const prices = v.map((of) => `v(${of.tokens}) ${of.v.toFixed(2)}`).join(', ');
      return `${prices}; the floor of c is ${c_floor.toFixed(2)}, so no mask can gain more than ${formatSpeedup(best_possible.speedup)}`;
    },
  },
  gates: {
    shows:
      'a one-token pass with gates over one without; a pass with every sublayer skipped over one with none',
    command: script('gates.ts'),
    figures: (content) =>
      gateRows
        .parse(content)
        .map(
          ({ precision, gated_over_ungated, all_skipped_over_gated }) =>
            `${precision} ${gated_over_ungated.toFixed(2)}, ${formatPercent(all_skipped_over_gated)}`,
        )
        .join('; '),
  },
  'compile-memory': {
    shows: 'peak memory while compiling 307M parameters',
    command: script('compile-memory.ts'),
    figures: (content) =>
      memoryRows
        .parse(content)
        .map((row) => `${row.precision} ${formatBytes(row.peak_memory_bytes)}`)
        .join('; '),
  },
  'deep-miniature': {
    shows:
      'proof of the search on a random model built so that skipping is nearly free; of no real model',
    command: script('deep-miniature.ts'),
    figures: (content) => {
      const { layers, holdout, ...skipped } = deepMiniature.parse(content);
      return `held out ${speedupText(holdout)}; ${skipped.inner_sublayers_skipped} of ${2 * (layers - 2)} inner sublayers skipped, ${skipped.outer_sublayers_skipped} of the outer`;
    },
  },
  'ask-cost': {
    shows: 'what one ask of a model-based sampler takes after many trials of a deep model',
    command: script('ask-cost.ts'),
    figures: (content) => {
      const { trials, bits, rows } = askRows.parse(content);
      const times = rows.map(
        (row) =>
          `${row.sampler} median ${formatSeconds(row.median_seconds)}, slowest ${formatSeconds(row.slowest_seconds)}, first of a resumed study ${formatSeconds(row.first_seconds)}`,
      );
      return `${trials} trials of ${bits} bits: ${times.join('; ')}`;
    },
  },
};

/** `1.12x [1.05, 1.20]` */
export function speedupText({
  speedup,
  speedup_ci95,
}: {
  readonly speedup: number | null;
  readonly speedup_ci95: readonly [number, number] | null;
}): string {
  if (speedup === null) return 'not timed';
  return [formatSpeedup(speedup), ...(speedup_ci95 ? [formatInterval(speedup_ci95)] : [])].join(
    ' ',
  );
}
