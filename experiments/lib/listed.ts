/** What lies in results/ beside the experiments of experiments/*.yaml, which describe themselves. */
import { z } from 'zod';
import { POOLED } from '../../src/evaluation/summary.js';
import { busyReason } from '../../src/measurement/busy.js';
import { profileSchema } from '../../src/profile/schema.js';
import { fieldOf, fill, speedupText } from './fill.js';
import { peersFile } from './peers-file.js';

/** A result, by the name of its files up to the first dot. */
export interface ListedResult {
  readonly shows: string;
  readonly command: string;
  /** Its main figures, from its JSON. */
  readonly figures?: (content: unknown) => readonly string[];
  /** Those of them that README.md tells; default: all. */
  readonly told?: RegExp;
  /** Not of the bundled model, whose weights may have been others when a result was made. */
  readonly otherModel?: true;
}

const interval = z.tuple([z.number(), z.number()]).nullable();
const measured = z.object({ speedup: z.number().nullable(), speedup_ci95: interval });

/** What is told of results.json of an evaluation. */
export const evaluationRows = z.object({
  rows: z.array(
    measured.extend({
      ...{ dataset: z.string(), method: z.string() },
      ...{ draft_acceptance_rate: z.number().nullable(), identical_outputs: z.boolean() },
    }),
  ),
});
const samplerRows = z.object({
  rows: z.array(
    z.object({
      ...{
        group: z.string(),
        holdout_speedup: z.number().nullable(),
        ratio: z.number().nullable(),
      },
      ...{ holdout_speedup_ci95: interval, ratio_ci95: interval },
    }),
  ),
});

const script = (path: string) => `node --import ./test/register-typescript.mjs experiments/${path}`;
const profileOf = (name: string) => `results/search-demo${name}.profile.json`;
const one = (template: string) => (content: unknown) => [fill(template, content)];
const each = (template: string) => (content: unknown) =>
  z
    .array(z.unknown())
    .parse(content)
    .map((row) => fill(template, row));

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

const evaluation = (shows: string, command: string): ListedResult => ({
  shows,
  command: `npx sspec eval ${command} --max-new-tokens 64 --output-dir DIR`,
  figures: (content) =>
    evaluationRows
      .parse(content)
      .rows.filter(({ dataset, method }) => dataset === POOLED && method !== 'autoregressive')
      .map((row) => `${row.method} ${speedupText(row)}`),
});
const deviceRows = z.array(
  z.object({
    ...{ device: z.string(), exact: z.boolean(), targetSeconds: z.number(), cFloor: z.number() },
    verify: z.array(z.object({ tokens: z.number(), v: z.number() })),
  }),
);
/** Of device.ts. */
const onDevice = (model: string, flags: string): ListedResult => ({
  shows: `passes in float32 of ${model} on 16 cores of its CPU and on an H200`,
  command: script(`device.ts --device cuda ${flags}`.trimEnd()),
  figures: (content) =>
    deviceRows.parse(fieldOf(content, 'rows')).map(({ verify, ...row }) =>
      fill(
        '{device}: one token {ms:fixed2} ms, v(8) {v:fixed2}, floor of c {cFloor:fixed2}, {bits}',
        {
          ...row,
          bits: row.exact ? 'bits as of single passes' : 'other bits than of single passes',
          ms: 1000 * row.targetSeconds,
          v: verify.find(({ tokens }) => tokens === 8)?.v,
        },
      ),
    ),
  otherModel: true,
});
/** Of sizes.ts. */
const sizedShapes = z.object({
  shapes: z.record(
    z.string(),
    z.object({
      precisions: z.record(
        z.string(),
        z.object({
          compile: z.looseObject({}),
          run: z.looseObject({
            target_pass_seconds: z.number(),
            verify: z.array(z.object({ tokens: z.number(), v: z.number() })),
          }),
        }),
      ),
      search: z.looseObject({ wall_seconds: z.number() }),
    }),
  ),
});
/** Of bridges.ts. */
const bridges = (model: string, flags: string): ListedResult => ({
  shows: `acceptance and cost of drafts of ${model} that skip a span: plain, with a bridge, with a memory, and with a smaller head beside`,
  command: script(`bridges.ts${flags}`),
  figures(content) {
    const rows = z.array(
      z.object({
        skipped_layers: z.tuple([z.number(), z.number()]),
        variant: z.string(),
        acceptance: z.number(),
        c: z.number(),
        predicted_speedup: z.number(),
      }),
    );
    const points = rows.parse(fieldOf(content, 'points'));
    const best = points.reduce((a, b) => (b.predicted_speedup > a.predicted_speedup ? b : a));
    const [first, last] = best.skipped_layers;
    const same = points.filter(({ skipped_layers: [from, to] }) => from === first && to === last);
    const told = same.map((point) =>
      fill(
        '{variant} {acceptance:percent} at c {c:fixed2}, predicted {predicted_speedup:speedup}',
        point,
      ),
    );
    return [`layers ${first} to ${last} skipped: ${told.join('; ')}`];
  },
  otherModel: true,
});
/** Of memory-bridges.ts. */
const memoryBridges = (model: string, flags: string): ListedResult => ({
  shows: `tokens of ${model} that a draft over a span of layers has right: with a bridge, and with one that sees the state one position before, for the first, second and third token of a draft`,
  command: script(`memory-bridges.ts${flags}`),
  figures: (content) =>
    z
      .array(z.unknown())
      .parse(fieldOf(content, 'points'))
      .map((point) =>
        fill(
          'layers {skipped_layers.0} to {skipped_layers.1} skipped: {with_a_bridge:percent}; {with_memory.0:percent}, {with_memory.1:percent}, {with_memory.2:percent}',
          point,
        ),
      ),
  otherModel: true,
});
/** Of row-products.ts. */
const rowProducts = z.object({
  rows: z.array(z.unknown()),
  environment: z.object({
    ...{ logical_cores: z.number(), load_average: z.array(z.number()) },
    others_cpu_share: z.number().optional(),
  }),
});
/** The runs of kills.ts. */
const KILLS = [
  '--storage postgres --sampler random --kills 50',
  ...[1, 2, 3, 4].map((seed) => `--kills 25 --seed ${seed}`),
];
const killRuns = z.object({
  runs: z.array(
    z.object({
      ...{ storage: z.string(), studies: z.number(), trials: z.number() },
      ...{ equal_plans: z.number(), decodes: z.number(), cuts: z.number() },
      kills: z.object({ search: z.number(), worker: z.number() }),
      server_restarts: z.object({ fast: z.number(), immediate: z.number() }),
      problems: z.array(z.string()),
    }),
  ),
});
type KillRun = z.infer<typeof killRuns>['runs'][number];
const SMOLLM2 = '../smollm2-135m-instruct';
const OTHER = 'spec_bench.jsonl,humaneval.jsonl';

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
  'search-smollm2': {
    ...search(
      'what a search with defaults finds for SmolLM2-135M-Instruct, a published chat model',
      `--model ${SMOLLM2} `,
    ),
    command: `npx sspec search --model ${SMOLLM2} --output results/search-smollm2.profile.json`,
    otherModel: true,
  },
  'eval-smollm2': {
    ...evaluation(
      'that profile on Spec-Bench, HumanEval and the bundled texts',
      `--profile results/search-smollm2.profile.json --methods lookup,skip,cascade --dataset ${OTHER},heldout --limit 6 --repetitions 1`,
    ),
    otherModel: true,
  },
  'eval-demo': evaluation(
    'the first profile of the bundled model, prompt lookup and their cascade on all held-out prompts',
    `--profile ${profileOf('')} --methods lookup,skip,cascade --repetitions 1`,
  ),
  'eval-demo-other': evaluation(
    'the same profile on text that it was not made for',
    `--profile ${profileOf('')} --dataset ${OTHER} --limit 6 --repetitions 1`,
  ),
  'eval-demo-cuda': evaluation(
    'that profile on an H200, in float32, each draft a graph of its own (onnxruntime-node with the CUDA libraries of 1.30)',
    `--profile ${profileOf('')} --device cuda --precision fp32 --limit 4 --methods skip,lookup,cascade`,
  ),
  'eval-smollm2-cuda': {
    ...evaluation(
      "SmolLM2's profile on an H200, in float32",
      `--profile results/search-smollm2.profile.json --model ${SMOLLM2} --device cuda --precision fp32 --limit 4 --methods skip,lookup,cascade --repetitions 1`,
    ),
    otherModel: true,
  },
  'eval-smollm2-avx2': {
    ...evaluation(
      "SmolLM2's profile of a processor with AVX-512 on one with AVX2 and without VNNI",
      `--profile results/search-smollm2.profile.json --methods lookup,skip,cascade --dataset ${OTHER},heldout --limit 6 --repetitions 1`,
    ),
    otherModel: true,
  },
  'eval-demo-avx2': evaluation(
    "the bundled model's profile of a processor with AVX-512 on one with AVX2 and without VNNI",
    `--profile ${profileOf('')} --methods lookup,skip,cascade --limit 16 --repetitions 1`,
  ),
  'device-demo': onDevice('the bundled model', ''),
  'device-smollm2': onDevice('SmolLM2-135M-Instruct', `--model ${SMOLLM2} --name smollm2 `),
  'device-tinyllama': onDevice(
    "TinyLlama's shape, random weights (experiments/lib/large-checkpoint.ts)",
    '--model FOLDER --name tinyllama ',
  ),
  'headline-coverage-demo': {
    shows: 'how often the interval of a search holds what a long measurement gives',
    command: script(`headline-coverage.ts --profile ${profileOf('')}`),
    figures: one(
      '{covered} of {blocks} intervals hold {long_speedup:speedup}, that of all together; single ones from {lowest:speedup} to {highest:speedup}',
    ),
  },
  pass: {
    shows: 'passes of SmolLM2 against reading its weights once, and a prefill',
    command: `GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432 ${script('pass.ts ../smollm2-135m-instruct 2 10')}`,
    figures: (content) => [
      fill(
        'one token {passes.0.ms:fixed2} ms at 64 positions, {passes.0.over_reading:fixed2} times the reading of the weights, {passes.5.over_reading:fixed2} at 500; v(8) {passes.3.v:fixed2}; a prefill of 512 {prefill.ms:fixed2} ms',
        content,
      ),
    ],
    otherModel: true,
  },
  'bridges-demo': bridges('the bundled model', ''),
  'bridges-smollm2': bridges('SmolLM2-135M-Instruct', ` --model ${SMOLLM2} --name smollm2`),
  'memory-bridges-demo': memoryBridges('the bundled model', ''),
  'memory-bridges-smollm2': memoryBridges(
    'SmolLM2-135M-Instruct',
    ` --model ${SMOLLM2} --name smollm2`,
  ),
  overlap: {
    shows: 'that no held-out document and no bundled prompt is in the training text',
    command: 'node experiments/demo-model/overlap.mjs ENCODED',
  },
  fidelity: {
    shows: 'predicted against measured speedups, half of the masks from the best predicted decile',
    command: script('fidelity.ts'),
    figures: one(
      '{masks} masks: rank correlation {rank_correlation.all:fixed2}, in the best decile {rank_correlation.best_decile:fixed2} (retest {retest_rank_correlation.all:fixed2}, in the best decile {retest_rank_correlation.best_decile:fixed2}); median error {median_prediction_error:percent}',
    ),
  },
  peers: {
    shows:
      'SmolLM2-135M-Instruct beside other engines, tokens per second and over sspec autoregressive',
    command: script(
      `peers.ts --model ${SMOLLM2} --prepared PREPARED --dataset spec_bench.jsonl --limit 2`,
    ),
    figures(content) {
      const { rows, environment } = peersFile.parse(content);
      const busy = busyReason(environment);
      return [
        ...(busy === undefined ? [] : [`measured on a busy machine (${busy}), not to be trusted`]),
        ...rows.map(({ peer, method, tokens_per_second, over_sspec, over_sspec_ci95 }) => {
          const over = speedupText({ speedup: over_sspec, speedup_ci95: over_sspec_ci95 });
          const speed = `${peer} ${method} ${tokens_per_second.toFixed(1)}/s`;
          return over_sspec === null ? speed : `${speed}, ${over}`;
        }),
      ];
    },
    otherModel: true,
  },
  audit: {
    shows:
      'speculative against autoregressive tokens over everything that can be varied; counts by each',
    command: script('audit.ts --threads 2 --tokens 20000'),
    figures(content) {
      const threads = Object.entries(Object(fieldOf(content, 'by.threads'))).map(([n, counts]) =>
        fill(`{tokens:count} with ${n === '1' ? 'one thread' : `${n} threads`}`, counts),
      );
      const told = `{tokens:count} tokens (${threads.join(', ')}) in {comparisons:count} comparisons; {defects} defects, {near_ties} near-ties`;
      return [fill(told, fieldOf(content, 'total'))];
    },
  },
  samplers: {
    shows:
      'samplers of masks at equal cost, whole searches and the published way at full length beside them',
    command: script(
      `samplers.ts ${['', '-seed-1', '-seed-2'].map((name) => `--profile ${profileOf(name)}`).join(' ')}`,
    ),
    figures: (content) =>
      samplerRows.parse(content).rows.map((row) => {
        const { holdout_speedup: speedup, holdout_speedup_ci95: speedup_ci95 } = row;
        const paper = speedupText({ speedup: row.ratio, speedup_ci95: row.ratio_ci95 });
        const over = row.group.startsWith('search') ? `, ${paper} the paper's way` : '';
        return `${row.group} ${speedupText({ speedup, speedup_ci95 })}${over}`;
      }),
    told: /^(bo|dp|random) ladder|^relaxed-gp paper/,
  },
  'heldout-loss': {
    shows: 'held-out loss of the bundled model by kind of text',
    command: script(
      `demo-model/heldout-loss.ts ENCODED models/demo STARTER models/demo=${profileOf('')}`,
    ),
    figures: each('{model}: {mean_of_kinds:fixed3}'),
  },
  perplexity: {
    shows: 'perplexity on the bundled held-out prompts by precision',
    command: script('perplexity.ts'),
    figures: each('{precision} {perplexity:fixed2}'),
  },
  'quality-smollm2': {
    shows: 'SmolLM2 at each precision against fp32, on the bundled calibration texts',
    command: 'npx sspec model inspect ../smollm2-135m-instruct --quality --json',
    figures(content) {
      return z
        .array(z.unknown())
        .parse(fieldOf(content, 'quality.precisions'))
        .map((row) =>
          fill(
            '{precision}: perplexity {perplexity:fixed2}, same top token {argmax_agreement:percent}, KL {kl_divergence:fixed3}',
            row,
          ),
        );
    },
    otherModel: true,
  },
  'pass-speed': {
    shows: 'the price of verifying, and the best that any mask could gain',
    command: 'npx sspec model inspect demo --speed --json',
    figures(content) {
      const rows = z.array(z.object({ tokens: z.number(), v: z.number() }));
      const verify = rows.parse(fieldOf(content, 'speed.verify'));
      const shown = verify.filter(({ tokens }) => tokens === 4 || tokens === 8);
      const prices = shown.map((row) => fill('v({tokens}) {v:fixed2}', row)).join(', ');
      const floor =
        'the floor of c is {speed.c_floor:fixed2}, so no mask can gain more than {speed.best_possible.speedup:speedup}';
      return [prices, fill(floor, content)];
    },
  },
  'lookup-acceptance': {
    shows: 'how often prompt lookup is right, by the length of a match and by where it is',
    command: script('lookup-acceptance.ts --model ../smollm2-135m-instruct --model demo'),
    figures: each(
      '{model}, {dataset}: after a match of one token {current.0.accepted:percent}, of two {current.1.accepted:percent}, of eight and more {current.7.accepted:percent}; in earlier texts {earlier.0.accepted:percent}, {earlier.1.accepted:percent}, {earlier.7.accepted:percent}',
    ),
    told: /^$/,
    otherModel: true,
  },
  gates: {
    shows:
      'a one-token pass with gates over one without; a pass with every sublayer skipped over one with none',
    command: script('gates.ts'),
    figures: each('{precision} {gated_over_ungated:fixed2}, {all_skipped_over_gated:percent}'),
  },
  'compile-memory': {
    shows: 'peak memory while compiling 307M parameters',
    command: script('compile-memory.ts'),
    figures: each('{precision} {peak_memory_bytes:bytes}'),
  },
  fuzz: {
    shows:
      'mutated inputs through every door: right results or clear errors, or what else there was',
    command: script('fuzz.ts'),
    figures(content) {
      const doors = z.array(
        z.object({ door: z.string(), inputs: z.number(), findings: z.array(z.unknown()) }),
      );
      return doors
        .parse(fieldOf(content, 'doors'))
        .map(({ door, inputs, findings }) => `${door} ${inputs}: ${findings.length} findings`);
    },
    told: /^$/,
  },
  'half-keys': {
    shows:
      'attention of one token over keys and values of a layer of Llama 2 7B’s shape, in 32 bits read in place, in 16 bits cast in the pass',
    command: script('half-keys.ts'),
    figures: (content) =>
      z
        .object({ rows: z.array(z.unknown()) })
        .parse(content)
        .rows.map((row) => fill('{positions} positions, {type}: {layer_ms:fixed2} ms', row)),
    told: /^$/,
    otherModel: true,
  },
  'row-products': {
    shows:
      'passes of SmolLM2 if o and down were products of integers as well, over those with blocks; random weights',
    command: script('row-products.ts --model ../smollm2-135m-instruct'),
    figures(content) {
      const { rows, environment } = rowProducts.parse(content);
      const busy = busyReason(environment);
      return [
        ...(busy === undefined ? [] : [`measured on a busy machine (${busy}), not to be trusted`]),
        ...rows.map((row) => fill('{tokens} tokens: {integers_over_blocks:fixed2}', row)),
      ];
    },
    told: /^$/,
    otherModel: true,
  },
  sizes: {
    shows: 'models of the shapes of TinyLlama and Llama 2 7B: compiling, passes, memory, a search',
    command: script('sizes.ts'),
    figures: (content) =>
      Object.entries(sizedShapes.parse(content).shapes).flatMap(
        ([shape, { precisions, search }]) => [
          ...Object.entries(precisions).map(([precision, { compile, run }]) =>
            fill(
              `${shape} ${precision}: compiled in {compile.seconds:seconds} ({compile.share_of_disk_speed:fixed2} of the disk’s speed, {compile.peak_memory_bytes:bytes} at most), one token {ms:fixed2} ms, v(8) {v:fixed2}, memory {run.memory_over_weights_and_kv:fixed2} times weights and keys`,
              {
                ...{ compile, run, ms: 1000 * run.target_pass_seconds },
                v: run.verify.find(({ tokens }) => tokens === 8)?.v,
              },
            ),
          ),
          fill(
            `${shape}: a small search {wall_seconds:seconds}, {peak_memory_bytes:bytes} at most`,
            search,
          ),
        ],
      ),
    told: /^$/,
    otherModel: true,
  },
  'serve-load': {
    shows: 'the server under load: answers held against those of the library, and its memory',
    command: script('serve-load.ts'),
    figures: (content) => [
      fill(
        '{clients} clients for {minutes} minutes beside {harm} hostile requests: {answers} answers, {wrong} wrong; resident {settled_rss_bytes:bytes} after a minute, {last_rss_bytes:bytes} at the end',
        content,
      ),
    ],
  },
  'deep-miniature': {
    shows:
      'proof of the search on a random model built so that skipping is nearly free; of no real model',
    command: script('deep-miniature.ts'),
    figures(content) {
      const holdout = measured.parse(fieldOf(content, 'holdout'));
      const inner = 2 * (Number(fieldOf(content, 'layers')) - 2);
      const skipped = `{inner_sublayers_skipped} of ${inner} inner sublayers skipped, {outer_sublayers_skipped} of the outer`;
      return [`held out ${speedupText(holdout)}`, fill(skipped, content)];
    },
  },
  'ask-cost': {
    shows: 'what one ask of a model-based sampler takes after many trials of a deep model',
    command: script('ask-cost.ts'),
    figures(content) {
      const told =
        '{sampler} median {median_seconds:seconds}, slowest {slowest_seconds:seconds}, first of a resumed study {first_seconds:seconds}';
      const rows = each(told)(fieldOf(content, 'rows'));
      return [`${fill('{trials} trials of {bits} bits', content)}: ${rows.join('; ')}`];
    },
  },
  kills: {
    shows:
      'searches and workers killed at random moments and gone on with, held against a search left alone',
    command: KILLS.map((flags) => script(`kills.ts ${flags}`)).join('; '),
    figures(content) {
      const { runs } = killRuns.parse(content);
      return [...new Set(runs.map(({ storage }) => storage))].map((storage) => {
        const own = runs.filter((run) => run.storage === storage);
        const sum = (count: (run: KillRun) => number) =>
          own.reduce((total, run) => total + count(run), 0);
        const restarts = sum(({ server_restarts: { fast, immediate } }) => fast + immediate);
        const cuts = sum((run) => run.cuts);
        const problems = sum((run) => run.problems.length);
        return [
          `${storage}: ${sum(({ kills }) => kills.search)} kills of searches and ${sum(({ kills }) => kills.worker)} of workers`,
          ...(restarts > 0
            ? [`${restarts} restarts of the server, connections cut ${cuts} times`]
            : []),
          `in ${sum((run) => run.studies)} studies with ${sum((run) => run.trials)} trials, ${sum((run) => run.equal_plans)} of them of plans of the search left alone, and ${sum((run) => run.decodes)} measured generations`,
          problems === 0 ? 'nothing lost, doubled or other' : `${problems} problems`,
        ].join(', ');
      });
    },
  },
  workers: {
    shows: 'what workers gain: searches on made-up models with simulated workers',
    command: script('workers.ts 60 320 5'),
    figures(content) {
      const rows = each('{workers} {within_1_percent.time} ({within_1_percent.trials})');
      return [
        `workers, the time in trials until within 1% of the best (and trials by then): ${rows(fieldOf(content, 'rows')).join(', ')}`,
      ];
    },
  },
};
