/**
 * Writes the bundled model's card (models/demo/README.md, from card.md beside this file) and generation_config.json: every figure
 * in it comes from a file that a committed command wrote, and the samples are decoded here.
 *
 *     node --import ./test/register-typescript.mjs experiments/demo-model/card.ts [OUTPUT]
 */
import { readFileSync } from 'node:fs';
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { BUNDLED, loadBundled } from '../../src/datasets/load.js';
import { complete } from '../../src/decoding/generate.js';
import { loadModel } from '../../src/engine/load-model.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { repeatedShare } from '../../test/helpers/repetition.js';
import { writeText } from '../lib/output.js';

const folder = 'models/demo';
const STARTER = 'the 12 layers it grew from';
const limits = { sampleTokens: 64, repetitionPrompts: 8, maxRepeated: 0.35 };
const number = z.number();

function read<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

const digits = (value: unknown) => (typeof value === 'number' ? value.toFixed(3) : '');
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const indented = (text: string) => text.replaceAll(/^/gm, '    ').replaceAll(/ +$/gm, '');

/** Samples and how much the model repeats itself. */
async function decoded() {
  const { engine, tokenizer, close } = await loadModel(folder);
  const samples: string[] = [];
  const repeated: { kind: string; share: number }[] = [];
  for (const kind of BUNDLED) {
    const { prompts } = loadBundled(kind, 'heldout');
    const outputs = [];
    for (const { prompt } of prompts.slice(0, limits.repetitionPrompts)) {
      const request = { prompt: tokenizer!.encodePrompt(prompt), tokenizer };
      outputs.push(await complete(engine, { ...request, maxNewTokens: limits.sampleTokens }));
    }
    const sample = indented(`${prompts[0]!.prompt}▶${outputs[0]!.text}`);
    samples.push(`${kind} (greedy, int8; the prompt ends at \`▶\`)\n\n${sample}`);
    repeated.push({ kind, share: mean(outputs.map(({ tokens }) => repeatedShare(tokens))) });
  }
  await close();
  const missed = repeated.filter(({ share }) => share >= limits.maxRepeated);
  return {
    ...{ ...limits, ...engine.config, samples: samples.join('\n\n') },
    repeated: repeated.map(({ kind, share }) => `${kind} ${share.toFixed(2)}`).join(', '),
    loops: missed.length ? `it is missed on ${missed.map((m) => m.kind).join(', ')}` : 'it is met',
  };
}

/** The runs that trained it, and averages of their weights. */
function training() {
  const run = z.object({
    ...{ step: number, tokens: number, seconds: number },
    arguments: z.object({ lr: number, own_every: number.optional(), pull: number.optional() }),
  });
  /** What average.py writes: after how many runs each checkpoint was taken, and its share. */
  const average = z.object({ average_of_runs: z.array(number), shares: z.array(number) });
  const document = z.object({ runs: z.array(z.union([run, average])) });
  const lines = read(`${folder}/training.json`, document).runs.map((run) => {
    if ('shares' in run) {
      const share = (i: number) => `(${(100 * run.shares[i]!).toFixed(0)}%)`;
      const parts = run.average_of_runs.map((n, i) => `${n} ${share(i)}`);
      return `the weights after ${parts.join(', ')} of these averaged`;
    }
    const { lr, own_every, pull } = run.arguments;
    return [
      `${run.step} steps, ${(run.tokens / 1e6).toFixed(1)}M tokens, ${(run.seconds / 60).toFixed(0)} minutes, learning rate ${lr}`,
      ...(own_every === undefined ? [] : ['on its own text too']),
      ...(pull ? ['drawn to its drafts'] : []),
    ].join(', ');
  });
  return { runs: lines.map((line, i) => `${i + 1}. ${line}`).join('\n') };
}

/** Held-out text that the training text has too. */
function overlap() {
  const runs = z.object({ held_out_runs: number, held_out_runs_in_training: number });
  const { run_tokens, kinds } = read(
    'results/overlap.json',
    z.object({ run_tokens: number, kinds: z.record(z.string(), runs) }),
  );
  const shared = Object.entries(kinds).map(
    ([kind, of]) => `${kind} ${percent(of.held_out_runs_in_training / of.held_out_runs)}`,
  );
  return { runTokens: run_tokens, shared: shared.join(', ') };
}

/** Held-out losses, and how the model compares with the one it grew from and with its draft. */
function losses() {
  const row = z.object({ model: z.string() }).catchall(z.union([number, z.string()]));
  const rows = read('results/heldout-loss.json', z.array(row));
  const nameOf = ({ model }: { model: string }) => {
    if (model.includes('=')) return 'its draft alone';
    return model.startsWith('..') ? STARTER : 'demo';
  };
  const kinds = [...BUNDLED, 'mean_of_kinds', 'bundled_prompts'];
  const table = toMarkdown(
    [{ key: 'model' }, ...kinds.map((key) => ({ key, title: key.replaceAll('_', ' ') }))],
    rows.map((row) => ({
      ...Object.fromEntries(kinds.map((kind) => [kind, digits(row[kind])])),
      model: nameOf(row),
    })),
  );
  /** A loss over another, less 1. */
  const change = (kind: string, own: string, other: string) => {
    const [a, b] = [own, other].map((name) => rows.find((row) => nameOf(row) === name)?.[kind]);
    return number.parse(a) / number.parse(b) - 1;
  };
  const told = (kind: string) => {
    const starter = change(kind, 'demo', STARTER);
    return {
      change: `${percent(Math.abs(starter))} ${starter < 0 ? 'lower' : 'higher'}`,
      aim: starter <= -0.05 ? 'met' : 'missed',
      draft: percent(change(kind, 'its draft alone', 'demo')),
    };
  };
  const [documents, prompts] = [told('mean_of_kinds'), told('bundled_prompts')];
  return {
    lossTable: table,
    lossArguments: rows.map((row) => (nameOf(row) === STARTER ? 'STARTER' : row.model)).join(' '),
    ...{ changeOnDocuments: documents.change, changeOnPrompts: prompts.change },
    ...{ aimOnDocuments: documents.aim, aimOnPrompts: prompts.aim },
    ...{ draftOnDocuments: documents.draft, draftOnPrompts: prompts.draft },
  };
}

/** What skipping gains, by kind of text. */
function skipping() {
  const row = z.object({
    ...{ dataset: z.string(), method: z.string() },
    ...{ c: number.nullable(), draft_acceptance_rate: number.nullable() },
    conditional_acceptance: z.array(number.nullable()),
    ...{ speedup: number.nullable(), speedup_ci95: z.array(number).nullable() },
  });
  const { rows } = read('results/eval-demo.json', z.object({ rows: z.array(row) }));
  const offsets = [0, 1, 2, 3];
  const skipTable = toMarkdown(
    [
      ...[{ key: 'kind' }, { key: 'speedup' }, { key: 'interval', title: '95% interval' }],
      ...[{ key: 'c' }, { key: 'acceptance', title: 'draft acceptance' }],
      ...offsets.map((i) => ({ key: `a${i}`, title: `accepted at ${i + 1}` })),
    ],
    rows
      .filter(({ method }) => method === 'skip')
      .map((row) => ({
        ...{ kind: row.dataset, c: digits(row.c), acceptance: digits(row.draft_acceptance_rate) },
        speedup: row.speedup === null ? '' : `${row.speedup.toFixed(2)}x`,
        interval: row.speedup_ci95?.map((x) => x.toFixed(2)).join(' to ') ?? '',
        ...Object.fromEntries(offsets.map((i) => [`a${i}`, digits(row.conditional_acceptance[i])])),
      })),
  );
  return { skipTable };
}

const told: Readonly<Record<string, unknown>> = {
  ...{ ...training(), ...overlap(), ...losses(), ...skipping(), ...(await decoded()) },
};
const template = readFileSync(new URL('./card.md', import.meta.url), 'utf8');
const card = template.replaceAll(/\{\{(\w+)\}\}/g, (mark, name) => {
  if (told[name] === undefined) throw new Error(`card.md has ${mark}, and nothing says what it is`);
  return String(told[name]);
});
const [output = folder] = process.argv.slice(2);
writeText(output, 'README.md', card);
const defaults = { bos_token_id: 0, eos_token_id: 0, do_sample: false, max_new_tokens: 128 };
writeText(output, 'generation_config.json', `${JSON.stringify(defaults, null, 1)}\n`);
