import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { InputError } from '../../src/errors.js';
import { POOLED } from '../../src/evaluation/summary.js';
import { writeFileAtomic } from '../../src/files.js';
import { readJsonFile, readTextFile } from '../../src/json-file.js';
import { readProfile } from '../../src/profile/profile.js';
import { formatPercent } from '../../src/reporting/format.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { profileText } from '../../src/reporting/profile-text.js';
import { replacePart } from './generated-part.js';
import { evaluationRows, speedupText } from './results-index.js';
import { bundledHash, describe } from './results-readme.js';

const MAX_BYTES = 64 * 2 ** 20;

type Evaluation = z.infer<typeof evaluationRows>;

/** The results that README.md tells of, in this order; results/README.md has all of them. */
const TOLD = [
  ...['search-demo', 'search-demo-seed-1', 'search-demo-seed-2'],
  ...['eval-demo', 'eval-demo-again'],
  ...['methods', 'exits', 'draft-length', 'precision', 'context-length', 'transfer'],
  ...['samplers', 'fidelity', 'ask-cost', 'deep-miniature', 'audit'],
  ...['gates', 'pass-speed', 'compile-memory', 'perplexity'],
];

/**
 * Fills in the parts of README.md that come from files: the profile at its top and what was measured.
 * @param file README.md
 * @param directory of results.
 * @throws InputError when README.md lacks the marks of a part, or a result is not what it should be.
 */
export async function writeReadme(file: string, directory: string): Promise<void> {
  const text = readTextFile(file, MAX_BYTES) ?? '';
  writeFileAtomic(file, await readme(text, file, directory));
}

/** @param text of README.md as it is. */
export async function readme(text: string, file: string, directory: string): Promise<string> {
  const profile = profileText(readProfile(join(directory, 'search-demo.profile.json')));
  const evaluation = evaluationRows.parse(
    readJsonFile(join(directory, 'eval-demo.json'), MAX_BYTES),
  );
  const measured = [methodsTable(evaluation), resultsTable(directory, await bundledHash())].join(
    '\n',
  );
  const above = `\`\`\`\n${profile}\n\`\`\`\n\n${measuredAgain(evaluation)}`;
  const shown = replacePart(text, 'profile', above, file);
  return replacePart(shown, 'measured', measured, file);
}

/** The figure that counts beside that of the search, which is of some seconds and of the speed that the machine had then. */
function measuredAgain({ rows }: Evaluation): string {
  const row = rows.find(({ dataset, method }) => dataset === POOLED && method === 'skip');
  if (row === undefined) throw new InputError('eval-demo.json has no pooled row of skip');
  return `The search measures for some seconds, at whatever speed the machine has then. On all held-out prompts, over many minutes
([below](#measured)), this profile gives **${speedupText(row)}**: rely on that.`;
}

/** Speedups by kind of prompts and method. */
function methodsTable({ rows }: Evaluation): string {
  const methods = [...new Set(rows.map(({ method }) => method))].filter(
    (method) => method !== 'autoregressive',
  );
  const datasets = [...new Set(rows.map(({ dataset }) => dataset))];
  const table = toMarkdown(
    [
      { key: 'prompts' },
      ...methods.map((key) => ({ key })),
      { key: 'accepted', title: 'drafted tokens accepted (skip)' },
    ],
    datasets.map((dataset) => {
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

function resultsTable(directory: string, bundled: string): string {
  const all = readdirSync(directory);
  return toMarkdown(
    [{ key: 'question', title: 'what' }, { key: 'figures' }, { key: 'command' }],
    TOLD.map((name) => {
      const files = all.filter((file) => file.startsWith(`${name}.`)).sort();
      const { shows, figures, command } = describe(directory, name, files, bundled);
      return { question: `[${shows}](${basename(directory)}/${files[0]})`, figures, command };
    }),
  );
}
