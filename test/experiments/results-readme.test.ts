import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readme, resultsReadme, writeResultsReadme } from '../../experiments/lib/readme.js';
import { hashWeights } from '../../src/checkpoint/hash.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { InputError } from '../../src/errors.js';
import { readProfile } from '../../src/profile/profile.js';
import { root } from '../helpers/built.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { someResult, someRow } from './example.js';

const results = join(root, 'results');

describe('results/README.md', () => {
  const text = readFileSync(join(results, 'README.md'), 'utf8');

  it('is what experiments/results.ts makes of the files beside it', async () => {
    expect(await resultsReadme(results, text)).toBe(text);
  });

  it('links every file', () => {
    for (const file of readdirSync(results))
      if (file !== 'README.md') expect(text).toContain(`](${file})`);
  });
});

describe('the commands of results/README.md', () => {
  it('name scripts and files that there are', () => {
    const text = readFileSync(join(results, 'README.md'), 'utf8');
    const named = new Set(text.match(/experiments\/[\w/-]+\.\w+/g));
    expect(named.size).toBeGreaterThan(10);
    for (const file of named) expect(existsSync(join(root, file)), file).toBe(true);
  });
});

describe('README.md', () => {
  const file = join(root, 'README.md');
  const text = readFileSync(file, 'utf8');

  it('is what experiments/results.ts makes of results/', async () => {
    expect(await readme(text, file, results)).toBe(text);
  });

  it('has at most a dozen short rows of results', () => {
    const [, table = ''] = text.split('| what | figures |\n| --- | --- |\n');
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n');
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.length).toBeLessThanOrEqual(12);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(260);
  });

  it('is told where a part of it has lost its marks', async () => {
    const lost = text.replace('<!-- measured, ', '<!-- ');
    await expect(readme(lost, file, results)).rejects.toThrow(
      /README\.md lacks the lines "<!-- measured, .*put them back/,
    );
  });
});

describe('the table of results', () => {
  const made = async (rows: ReturnType<typeof someRow>[], load = 0) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'some.json'), JSON.stringify(someResult(rows, load)));
    await writeResultsReadme(directory);
    return { directory, text: readFileSync(join(directory, 'README.md'), 'utf8') };
  };
  const all = (variant: string, speedup: number) => someRow({ variant, speedup });

  it('has the question, the speedups over all prompts, and the command', async () => {
    const { text } = await made([
      all('a', 1.5),
      all('b', 0.5),
      { ...all('c', 9), dataset: 'code' },
    ]);
    expect(text).toContain(
      '| some ([json](some.json)) | Does it run? | a 1.50x [1.20, 1.30]; b 0.50x [1.20, 1.30] | `experiments/run.ts experiments/some.yaml` |',
    );
  });

  it('tells the best and the worst of many', async () => {
    const rows = [1, 3, 2, 1.5, 1.2, 1.1, 1.3].map((speedup) => all(`v${speedup}`, speedup));
    expect((await made(rows)).text).toContain('| best: v3 3.00x [1.20, 1.30]; worst: v1 1.00x');
  });

  it('says where the machine was busy', async () => {
    expect((await made([all('a', 1)], 0.9)).text).not.toContain('busy');
    expect((await made([all('a', 1)], 1.1)).text).toContain('| measured on a busy machine');
  });

  it('is made anew between its marks, and nothing else is touched', async () => {
    const { directory, text } = await made([all('a', 1)]);
    const file = join(directory, 'README.md');
    writeFileSync(file, `${text.replace('1.00x', '7.00x')}more`);
    await writeResultsReadme(directory);
    expect(readFileSync(file, 'utf8')).toBe(`${text}more`);
    writeFileSync(file, 'no marks');
    await expect(writeResultsReadme(directory)).rejects.toThrow(InputError);
  });

  it("marks what was measured on other weights than the bundled ones and the published model's", async () => {
    const { directory, text } = await made([all('a', 1)]);
    expect(text).not.toContain('earlier weights');
    const file = join(directory, 'some.json');
    const of = async (hash: string) => {
      const { runs, ...result } = someResult([all('a', 1)]);
      const [run] = runs;
      const environment = { ...run!.environment, model_hash: hash };
      writeFileSync(file, JSON.stringify({ ...result, runs: [{ ...run, environment }] }, null, 2));
      return resultsReadme(directory, text);
    };
    expect(await of('0'.repeat(64))).toContain('| **of earlier weights:** a 1.00x');
    const bundled = await hashWeights(openCheckpoint(join(root, 'models/demo')));
    expect(await of(bundled)).not.toContain('earlier weights');
    const { model } = readProfile(join(results, 'search-smollm2.profile.json'));
    expect(await of(model.weights_hash)).not.toContain('earlier weights');
  });

  it('refuses a file that nothing describes', async () => {
    const { directory } = await made([all('a', 1)]);
    writeFileSync(join(directory, 'stray.csv'), '');
    await expect(writeResultsReadme(directory)).rejects.toThrow(/stray\.csv/);
  });
});
