import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary.js';

const minutes = 60_000;

it(
  'the audit goes on where it stopped, with another number of threads',
  async () => {
    const folder = temporaryDirectory();
    const output = join(folder, 'results');
    const audit = (tokens: number, threads: number) =>
      promisify(execFile)(process.execPath, [
        ...['--import', './test/register-typescript.mjs', 'experiments/audit.ts'],
        ...['--tokens', String(tokens), '--threads', String(threads), '--longest', '8'],
        ...['--state', join(folder, 'state'), '--output', output],
      ]);
    const counts = () => JSON.parse(readFileSync(join(output, 'audit.json'), 'utf8'));
    const units = () =>
      readFileSync(join(folder, 'state', 'audit.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .flatMap((line) => JSON.parse(line).value.map(({ unit }: { unit: string }) => unit));

    await audit(1, 2);
    const first = counts();
    // The methods of one case.
    expect(first.total).toMatchObject({ comparisons: 9, defects: 0 });
    await audit(first.total.tokens + 1, 1);
    const { total, by } = counts();
    expect(total.comparisons).toBeGreaterThan(9);
    expect(total.defects).toBe(0);
    expect(by.threads[2].comparisons).toBe(9);
    expect(by.threads[1].comparisons).toBe(total.comparisons - 9);
    expect(new Set(units()).size).toBe(total.comparisons);
    const threads = /\([\d,]+ with one thread, [\d,]+ with 2 threads\)/.source;
    expect(readFileSync(join(output, 'README.md'), 'utf8')).toMatch(
      new RegExp(
        `\\| ${total.tokens.toLocaleString('en')} tokens ${threads} in ${total.comparisons} comparisons; 0 defects`,
      ),
    );
  },
  3 * minutes,
);
