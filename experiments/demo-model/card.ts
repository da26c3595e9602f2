/**
 * Writes the bundled model's card (models/demo/README.md) and generation_config.json: every figure in it comes from a file that
 * a committed command wrote, and the samples are decoded here.
 *
 *     node --import ./test/register-typescript.mjs experiments/demo-model/card.ts
 */
import { readFileSync } from 'node:fs';
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { BUNDLED, loadBundled } from '../../src/datasets/load.js';
import { complete } from '../../src/decoding/generate.js';
import { loadModel } from '../../src/engine/load-model.js';
import { writeFileAtomic } from '../../src/files.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { repeatedShare } from '../../test/helpers/repetition.js';

const folder = 'models/demo';
const STARTER = 'the 12 layers it grew from';
const sampleTokens = 64;
const repetitionPrompts = 8;
const maxRepeated = 0.35;

function read<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

const trainingRun = z.object({
  step: z.number(),
  tokens: z.number(),
  seconds: z.number(),
  arguments: z.looseObject({
    lr: z.number(),
    own_every: z.number().optional(),
    pull: z.number().optional(),
  }),
});
/** What average.py writes: after how many runs each checkpoint was taken, and its share. */
const average = z.object({
  average_of_runs: z.array(z.number()),
  shares: z.array(z.number()),
});
const { runs } = read(
  `${folder}/training.json`,
  z.object({ runs: z.array(z.union([trainingRun, average])) }),
);
type Run = (typeof runs)[number];
const losses = read(
  'results/heldout-loss.json',
  z.array(z.object({ model: z.string() }).catchall(z.union([z.number(), z.string()]))),
);
const overlap = read(
  'results/overlap.json',
  z.object({
    run_tokens: z.number(),
    kinds: z.record(
      z.string(),
      z.object({ held_out_runs: z.number(), held_out_runs_in_training: z.number() }),
    ),
  }),
);
const evaluation = read(
  'results/eval-demo.json',
  z.object({
    rows: z.array(
      z.object({
        dataset: z.string(),
        method: z.string(),
        c: z.number().nullable(),
        draft_acceptance_rate: z.number().nullable(),
        conditional_acceptance: z.array(z.number().nullable()),
        speedup: z.number().nullable(),
        speedup_ci95: z.tuple([z.number(), z.number()]).nullable(),
      }),
    ),
  }),
);

const model = await loadModel(folder);
const { engine, tokenizer } = model;
if (!tokenizer) throw new Error(`${folder} has no tokenizer`);
const samples: string[] = [];
const repeated: { kind: string; share: number }[] = [];
for (const kind of BUNDLED) {
  const shares: number[] = [];
  for (const [i, { prompt }] of loadBundled(kind, 'heldout')
    .prompts.slice(0, repetitionPrompts)
    .entries()) {
    const request = {
      prompt: tokenizer.encodePrompt(prompt),
      maxNewTokens: sampleTokens,
      tokenizer,
    };
    const { text, tokens } = await complete(engine, request);
    shares.push(repeatedShare(tokens));
    if (i === 0)
      samples.push(
        `${kind} (greedy, int8; the prompt ends at \`▶\`)\n\n${indented(`${prompt}▶${text}`)}`,
      );
  }
  repeated.push({ kind, share: mean(shares) });
}
const { layers, hiddenSize, heads, kvHeads, vocabSize, contextLength } = engine.config;
await model.close();

const number = (value: unknown) => (typeof value === 'number' ? value.toFixed(3) : '');
const kinds = [...BUNDLED, 'mean_of_kinds', 'bundled_prompts'];
const lossTable = toMarkdown(
  [{ key: 'model' }, ...kinds.map((key) => ({ key, title: key.replaceAll('_', ' ') }))],
  losses.map((row) => ({
    model: nameOf(row.model),
    ...Object.fromEntries(kinds.map((kind) => [kind, number(row[kind])])),
  })),
);
const skip = evaluation.rows.filter(({ method }) => method === 'skip');
const offsets = [0, 1, 2, 3];
const skipTable = toMarkdown(
  [
    ...[
      { key: 'kind' },
      { key: 'speedup' },
      { key: 'interval', title: '95% interval' },
      { key: 'c' },
    ],
    { key: 'acceptance', title: 'draft acceptance' },
    ...offsets.map((i) => ({ key: `a${i}`, title: `accepted at ${i + 1}` })),
  ],
  skip.map((row) => ({
    kind: row.dataset,
    speedup: row.speedup === null ? '' : `${row.speedup.toFixed(2)}x`,
    interval: row.speedup_ci95?.map((x) => x.toFixed(2)).join(' to ') ?? '',
    c: number(row.c),
    acceptance: number(row.draft_acceptance_rate),
    ...Object.fromEntries(offsets.map((i) => [`a${i}`, number(row.conditional_acceptance[i])])),
  })),
);
const million = (n: number) => `${(n / 1e6).toFixed(1)}M`;
const shared = Object.entries(overlap.kinds)
  .map(
    ([kind, { held_out_runs, held_out_runs_in_training }]) =>
      `${kind} ${((100 * held_out_runs_in_training) / held_out_runs).toFixed(1)}%`,
  )
  .join(', ');

writeFileAtomic(
  `${folder}/README.md`,
  `# demo

The bundled model, small enough to ship and to decode on any machine: Llama architecture, ${layers} layers, hidden ${hiddenSize},
${heads} query heads and ${kvHeads} key/value heads, vocabulary ${vocabSize} (byte-level BPE), context ${contextLength}, tied
embeddings, fp16. It continues short stories, command help pages, Python code and worked arithmetic; it knows nothing else.

## How it got its redundancy

Skipping sublayers costs this model less than it would cost a published one, **because it was trained for it**; a figure
measured on it says what the method can do, not what a checkpoint of the Hub will gain. It grew from a model of 12 layers that
was trained with sublayer dropout (0.15 on inner sublayers, half of the steps). After every layer a copy of it was inserted with
its output projections at zero, which leaves the function unchanged, and the whole was trained on: in every step on the text, and
in every other step also on the divergence (KL) of a pass with randomly skipped sublayers from the full pass. The inserted layers
are skipped most readily, the first and the last never. There is no control model of the same size and compute without this;
that, and training on a GPU with more data, are still owed.

## Data

| kind | text | licence |
|---|---|---|
| stories | a lower-cased sample of TinyStories (Eldan and Li 2023) | CDLA-Sharing-1.0 |
| help | English pages of tldr-pages, © the tldr-pages contributors | CC BY 4.0 |
| code | Python: the standard library of CPython 3.11, sympy, TheAlgorithms (files under 60 KB, no tests) | PSF, BSD-3, MIT |
| math | GSM8K training questions with worked answers (Cobbe et al. 2021) | MIT |

2% of the documents of every kind are held out by the hash of their text. No held-out document and no bundled prompt occurs in
the training text (experiments/demo-model/overlap.mjs). Of the held-out runs of ${overlap.run_tokens} tokens these shares do, in
licence heads and stock phrases: ${shared}. The model of 12 layers had been trained on the same corpora
with a split of its own, so it may have seen much of what is held out here.

## Recipe

Muon for matrices, AdamW for the rest, matrix products in bf16; windows of 256 tokens, later longer. After the 24.9M tokens of the
model it started from, on two CPU cores, in runs one after another whose learning rate falls to zero by the clock:

${runs.map((run, i) => `${i + 1}. ${runText(run)}`).join('\n')}

${averageExplained()}${ownTextExplained()}Code: experiments/demo-model.

Documents are separated by token 0, \`<|endoftext|>\`, which is both bos and eos; prompts start with it (the tokenizer adds it).

## Held-out loss

Nats per token, fp32, the first four windows of 256 tokens of every held-out document; the last column is the prompts in
datasets/, our own texts. Draft: the same weights without the sublayers that the bundled profile skips.

${lossTable}
${comparison()}

    node experiments/demo-model/encode.mjs CORPUS ENCODED
    node --import ./test/register-typescript.mjs experiments/demo-model/heldout-loss.ts ENCODED ${losses.map(({ model: name }) => (name.startsWith('..') ? 'STARTER' : name)).join(' ')}

## Skipping

The profile that \`sspec search\` finds, on held-out prompts (int8). Accepted at i: the share of drafted tokens at place i of a
draft that are accepted, of those before which all were. The aim was a c of at most 0.35 with at least 0.92 everywhere.

${skipTable}
    sspec eval --profile results/search-demo.profile.json --format json

## Samples

${samples.join('\n\n')}

## Limits

Greedy continuations of a small model fall into loops; loops are easy to draft, so speedups on them flatter every method. Share of
four-token runs that occurred before, in ${sampleTokens} greedy tokens (mean of ${repetitionPrompts} held-out prompts each; a loop has more than 0.7):
${repeated.map(({ kind, share }) => `${kind} ${share.toFixed(2)}`).join(', ')}. The aim was below ${maxRepeated}: ${loopText()}.

English, four kinds of text, a vocabulary of ${vocabSize}. Stories wander, arithmetic is mostly wrong, code is plausible rather
than right. Nothing was done about safety or bias of its output; it is for measuring decoders.
`,
);
writeFileAtomic(
  `${folder}/generation_config.json`,
  `${JSON.stringify({ bos_token_id: 0, eos_token_id: 0, do_sample: false, max_new_tokens: 128 }, null, 1)}\n`,
);

function runText(run: Run): string {
  if ('shares' in run) {
    const parts = run.average_of_runs.map((n, i) => `${n} (${(100 * run.shares[i]!).toFixed(0)}%)`);
    return `the weights after ${parts.join(', ')} of these averaged`;
  }
  const {
    step,
    tokens,
    seconds,
    arguments: { lr, own_every, pull },
  } = run;
  return [
    `${step} steps, ${million(tokens)} tokens, ${(seconds / 60).toFixed(0)} minutes, learning rate ${lr}`,
    ...(own_every === undefined ? [] : ['on its own text too']),
    ...(pull === undefined || pull === 0 ? [] : ['drawn to its drafts']),
  ].join(', ');
}

function averageExplained(): string {
  if (runs.every((run) => !('shares' in run))) return '';
  return `What runs learn by heart differs between them and averages out (Wortsman et al. 2022, "Model soups"): on the bundled prompts an
average has a lower loss than every run in it.
`;
}

function ownTextExplained(): string {
  if (runs.every((run) => 'shares' in run || run.arguments.own_every === undefined)) return '';
  return `Own text is 32 continuations of 64 greedy tokens in some steps: where they loop, the repeated tokens are made unlikely (Welleck et
al. 2020), and a pass with skipped sublayers learns the full pass's choices on them (Zhou et al. 2024). A model that is drawn to
its drafts has the divergence the other way in its loss, too (Liang et al. 2021).
`;
}

function loopText(): string {
  const missed = repeated.filter(({ share }) => share >= maxRepeated).map(({ kind }) => kind);
  return missed.length === 0 ? 'it is met' : `it is missed on ${missed.join(', ')}`;
}

/** How the model compares with the one it grew from, in words. */
function comparison(): string {
  const of = (name: string, kind: string) => {
    const loss = losses.find(({ model: reference }) => nameOf(reference) === name)?.[kind];
    if (typeof loss !== 'number')
      throw new Error(`results/heldout-loss.json lacks ${kind} of ${name}`);
    return loss;
  };
  const change = (kind: string) => {
    const percent = 100 * (of('demo', kind) / of(STARTER, kind) - 1);
    return `${Math.abs(percent).toFixed(1)}% ${percent < 0 ? 'lower' : 'higher'}`;
  };
  const isMet = (kind: string) => (of('demo', kind) <= 0.95 * of(STARTER, kind) ? 'met' : 'missed');
  return `Beside the model that it grew from, its loss is ${change('mean_of_kinds')} on the held-out documents, which that one
may have seen, and ${change('bundled_prompts')} on the prompts, which neither has. The aim was 5% lower: it is ${isMet('mean_of_kinds')} on the
documents, ${isMet('bundled_prompts')} on the prompts. The draft alone is worse than the full model by ${(100 * (of('its draft alone', 'mean_of_kinds') / of('demo', 'mean_of_kinds') - 1)).toFixed(1)}% (documents) and
${(100 * (of('its draft alone', 'bundled_prompts') / of('demo', 'bundled_prompts') - 1)).toFixed(1)}% (prompts).`;
}

function nameOf(reference: string): string {
  if (reference.includes('=')) return 'its draft alone';
  return reference.startsWith('..') ? STARTER : 'demo';
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n');
}
