/** Fills in what README.md and results/README.md tell of results, so that no figure in them is typed by hand. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hashWeights } from '../../src/checkpoint/hash.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { resolveModel } from '../../src/checkpoint/resolve.js';
import { InputError } from '../../src/errors.js';
import { POOLED } from '../../src/evaluation/summary.js';
import { writeFileAtomic } from '../../src/files.js';
import { readJsonFile, readTextFile } from '../../src/json-file.js';
import { busyReason } from '../../src/measurement/busy.js';
import { packageRoot } from '../../src/package-root.js';
import { readProfile } from '../../src/profile/profile.js';
import { formatPercent } from '../../src/reporting/format.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { profileText } from '../../src/reporting/profile-text.js';
import { LINE_WIDTH } from '../../src/reporting/width.js';
import { speedupText } from './fill.js';
import { evaluationRows, LISTED } from './listed.js';
import { peersFile } from './peers-file.js';
import { peersBrief } from './peers-report.js';
import { type ExperimentResult, pooledRows, readResult } from './result.js';

const MAX_BYTES = 64 * 2 ** 20;

/** The results that README.md tells of, in this order and in these words. */
const TOLD: Readonly<Record<string, string>> = {
  'headline-coverage-demo': 'intervals of searches, and a long measurement',
  audit: 'speculative against autoregressive tokens',
  perplexity: 'perplexity of the demo by precision',
  'compile-memory': 'peak memory of compiling 307M parameters',
  'ask-cost': 'an ask of a sampler after many trials',
};

/** More variants than these are told by the best and the worst. */
const MOST_VARIANTS = { results: 6, readme: 3 };

/** @throws InputError when README.md lacks the marks of its generated part, or a result is not what it should be. */
export async function writeResultsReadme(directory: string): Promise<void> {
  const file = join(directory, 'README.md');
  const text =
    readTextFile(file, MAX_BYTES) ??
    `# Results\n\n${mark('table', 'begin')}\n${mark('table', 'end')}\n`;
  writeFileAtomic(file, await resultsReadme(directory, text));
}

/** @param text of results/README.md as it is. */
export async function resultsReadme(directory: string, text: string): Promise<string> {
  const current = await currentHashes();
  const rows = [...resultFiles(directory)].map(([name, files]) => {
    const links = files.map((file) => `[${file.slice(name.length + 1)}](${file})`);
    const { shows, figures, command } = told(directory, name, files);
    const shown = figures(MOST_VARIANTS.results).join('; ');
    const earlier =
      !LISTED[name]?.otherModel &&
      files.some((file) => isOfOtherWeights(join(directory, file), current));
    return {
      files: `${name} (${links.join(', ')})`,
      shows,
      figures: earlier ? `**of earlier weights:** ${shown}` : shown,
      command: `\`${command}\``,
    };
  });
  const columns = ['files', 'shows', 'figures', 'command'].map((key) => ({ key }));
  return replacePart(text, 'table', toMarkdown(columns, rows), join(directory, 'README.md'));
}

/** @throws InputError when the file lacks the marks of a part, or a result is not what it should be. */
export async function writeReadme(file: string, directory: string): Promise<void> {
  const text = readTextFile(file, MAX_BYTES) ?? '';
  writeFileAtomic(file, await readme(text, file, directory));
}

/** @param text of README.md as it is. */
export async function readme(text: string, file: string, directory: string): Promise<string> {
  const rows = rowsOf(directory, 'eval-demo');
  const profile = `\`\`\`\n${profileText(readProfile(join(directory, 'search-demo.profile.json')), LINE_WIDTH)}\n\`\`\``;
  const current = await currentHashes();
  const files = resultFiles(directory);
  const lines = Object.entries(TOLD).map(([name, what]) => {
    const own = files.get(name) ?? [];
    const shown = told(directory, name, own).figures(MOST_VARIANTS.readme);
    const earlier = own.some((file) => isOfOtherWeights(join(directory, file), current));
    return {
      what: `[${what}](${basename(directory)}/${own.find((file) => file.endsWith('.md')) ?? own[0]})`,
      figures: [...(earlier ? ['**of earlier weights**'] : []), ...shown].join('; '),
    };
  });
  const measured = `${methodsTable(rows)}\n${otherText(directory)}\n${toMarkdown([{ key: 'what' }, { key: 'figures' }], lines)}`;
  const parts = { headline: headline(directory), profile, measured, peers: peersText(directory) };
  return Object.entries(parts).reduce(
    (whole, [name, content]) => replacePart(whole, name, content, file),
    text,
  );
}

function peersText(directory: string): string {
  const told = peersFile.parse(readJsonFile(join(directory, 'peers.json'), MAX_BYTES));
  return peersBrief(told.rows, told);
}

type Rows = ReturnType<typeof evaluationRows.parse>['rows'];

function rowsOf(directory: string, name: string): Rows {
  return evaluationRows.parse(readJsonFile(join(directory, `${name}.json`), MAX_BYTES)).rows;
}

/** Both models: what their searches chose and what that gives, on held-out prompts and on all else that was measured. */
function headline(directory: string): string {
  const models = [
    ['smollm2', 'SmolLM2-135M-Instruct, published', ['eval-smollm2']],
    ['demo', 'bundled demo, trained to be skipped', ['eval-demo', 'eval-demo-other']],
  ] as const;
  const rows = models.map(([name, title, evaluations]) => {
    const { method = 'skip', figures } = readProfile(
      join(directory, `search-${name}.profile.json`),
    );
    const { holdout } = figures;
    const measured = evaluations.flatMap((file) =>
      rowsOf(directory, file).filter((row) => row.method === method),
    );
    const parts = measured
      .filter(({ dataset, speedup }) => dataset !== POOLED && speedup !== null)
      .sort((a, b) => a.speedup! - b.speedup!);
    const part = (row: Rows[number] | undefined) =>
      row ? `${partName(row.dataset)} ${speedupText(row)}` : '';
    return {
      model: title,
      method,
      heldout: holdout ? speedupText(holdout) : 'not timed',
      all: measured
        .filter(({ dataset }) => dataset === POOLED)
        .map(speedupText)
        .join('; '),
      worst: part(parts[0]),
      best: part(parts.at(-1)),
    };
  });
  return toMarkdown(
    [
      { key: 'model' },
      { key: 'method', title: 'chosen by the search' },
      { key: 'heldout', title: "the search's held-out prompts" },
      { key: 'all', title: 'other evaluations' },
      { key: 'worst', title: 'slowest part' },
      { key: 'best', title: 'fastest part' },
    ],
    rows,
  );
}

const partName = (dataset: string) => dataset.replace(/^spec_bench:/, '');

/** What the profiles give on benchmarks, by part. */
function otherText(directory: string): string {
  const [smollm2, demo] = [rowsOf(directory, 'eval-smollm2'), rowsOf(directory, 'eval-demo-other')];
  const chosen = (rows: Rows, dataset: string, method: string) => {
    const row = rows.find((one) => one.dataset === dataset && one.method === method);
    return row ? speedupText(row) : '';
  };
  const methodOf = (name: string) =>
    readProfile(join(directory, `search-${name}.profile.json`)).method ?? 'skip';
  const methods = { smollm2: methodOf('smollm2'), demo: methodOf('demo') };
  const datasets = [...new Set(smollm2.map(({ dataset }) => dataset))];
  return toMarkdown(
    [
      { key: 'prompts', title: 'benchmark' },
      { key: 'smollm2', title: `SmolLM2 (${methods.smollm2})` },
      { key: 'demo', title: `demo (${methods.demo})` },
    ],
    datasets
      .filter((dataset) => dataset !== POOLED)
      .map((dataset) => ({
        prompts: partName(dataset),
        smollm2: chosen(smollm2, dataset, methods.smollm2),
        demo: chosen(demo, dataset, methods.demo),
      })),
  );
}

/** Speedups by kind of prompts and method. */
function methodsTable(rows: Rows): string {
  const all = [...new Set(rows.map(({ method }) => method))];
  const methods = all.filter((method) => method !== 'autoregressive');
  const table = toMarkdown(
    [
      { key: 'prompts' },
      ...methods.map((key) => ({ key })),
      { key: 'accepted', title: 'drafted tokens accepted (skip)' },
    ],
    [...new Set(rows.map(({ dataset }) => dataset))].map((dataset) => {
      const own = rows.filter((row) => row.dataset === dataset);
      const skip = own.find(({ method }) => method === 'skip')?.draft_acceptance_rate;
      return {
        prompts: dataset,
        ...Object.fromEntries(own.map((row) => [row.method, speedupText(row)])),
        accepted: skip == null ? '' : formatPercent(skip),
      };
    }),
  );
  const outputs = rows.every((row) => row.identical_outputs)
    ? 'Every output was identical to that of autoregressive decoding.'
    : '**Not every output was identical to that of autoregressive decoding.**';
  return `${table}\n${outputs}\n`;
}

/** Identities of the weights that are bundled now, and of the published model's. */
async function currentHashes(): Promise<string[]> {
  const { model } = readProfile(join(packageRoot(), 'results', 'search-smollm2.profile.json'));
  return [await hashWeights(openCheckpoint(await resolveModel('demo'))), model.weights_hash];
}

/** Whether a JSON file names weights, and none that are current. */
function isOfOtherWeights(file: string, current: readonly string[]): boolean {
  if (!file.endsWith('.json')) return false;
  const named = readTextFile(file, MAX_BYTES)?.match(/"(weights|model)_hash": "[0-9a-f]{64}"/g);
  return named != null && !named.some((field) => current.some((hash) => field.includes(hash)));
}

/** The files of each result. Folders are journals that go on (samplers.ts), not results. */
function resultFiles(directory: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const entries = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of entries.map(({ name }) => name).sort()) {
    if (file === 'README.md' || file.endsWith('.tmp')) continue;
    // Its figures belong to the comparison of samplers.
    const name = file.startsWith('samplers-') ? 'samplers' : file.split('.', 1)[0]!;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return groups;
}

/** What a result shows, its main figures and its command. */
function told(directory: string, name: string, files: readonly string[]) {
  const json = files.find((file) => file.endsWith('.json'));
  const listed = LISTED[name];
  if (listed) {
    const content = json && listed.figures && readJsonFile(join(directory, json), MAX_BYTES);
    const all = content ? listed.figures!(content) : [];
    const brief = all.filter((figure) => listed.told?.test(figure) ?? true);
    const figures = (most: number) => (most === MOST_VARIANTS.readme ? brief : all);
    return { shows: listed.shows, command: listed.command, figures };
  }
  const result = json ? readResult(join(directory, json)) : undefined;
  if (!result) throw new InputError(`${directory}: nothing says what ${files.join(', ')} shows.`);
  const { question: shows, command } = result;
  return { shows, command, figures: (most: number) => speedups(result, most) };
}

/** Speedups over all prompts, and whether the machine was quiet. */
function speedups({ rows, runs }: ExperimentResult, most: number): string[] {
  const several = (key: 'precision' | 'prompt_tokens') => new Set(rows.map((r) => r[key])).size > 1;
  const variants = pooledRows(rows).map((row) => {
    const where = [
      ...(several('precision') ? [row.precision] : []),
      ...(several('prompt_tokens') ? [`${row.prompt_tokens} tokens`] : []),
    ].join(', ');
    const text = `${row.variant}${where && ` (${where})`} ${speedupText(row)}`;
    return { text, speedup: row.speedup };
  });
  const sorted = [...variants].sort((a, b) => b.speedup - a.speedup);
  const isBusy = runs.some(({ environment }) => busyReason(environment) !== undefined);
  return [
    ...(isBusy ? ['measured on a busy machine, not to be trusted'] : []),
    ...(variants.length <= most
      ? variants.map(({ text }) => text)
      : [`best: ${sorted[0]!.text}`, `worst: ${sorted.at(-1)!.text}`]),
  ];
}

const mark = (name: string, which: 'begin' | 'end') =>
  `<!-- ${name}, generated by experiments/results.ts: ${which} -->`;

/** A text with another content between the two marks of a part; what lies outside stays as it is. */
function replacePart(text: string, name: string, content: string, file: string): string {
  const [begin, end] = [mark(name, 'begin'), mark(name, 'end')];
  const [first, last] = [text.indexOf(begin), text.indexOf(end)];
  if (first < 0 || last < first)
    throw new InputError(`${file} lacks the lines "${begin}" and "${end}"; put them back.`);
  return `${text.slice(0, first + begin.length)}\n\n${content.trimEnd()}\n\n${text.slice(last)}`;
}
