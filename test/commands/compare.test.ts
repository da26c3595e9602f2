import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import Compare from '../../commands/compare.js';
import Eval from '../../commands/eval.js';
import type { Comparison } from '../../src/evaluation/comparison.js';
import { readResults } from '../../src/evaluation/results-file.js';
import { formatComparison } from '../../src/reporting/compare.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

const root = temporaryDirectory();
const [a, b] = [join(root, 'a'), join(root, 'b')] as const;

async function evaluate(folder: string, ...argv: string[]): Promise<void> {
  const quick = ['--repetitions', '1', '--no-warmup', '-q', '--output-dir', folder];
  const { code, stderr } = await runCommand(Eval, [...quick, ...argv]);
  expect(code, stderr).toBe(0);
}
beforeAll(async () => {
  await evaluate(a, '--dataset', 'code,math', '--limit', '6', '--max-new-tokens', '12');
  await evaluate(b, '--dataset', 'code,math', '--limit', '5', '--max-new-tokens', '16');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

const compare = (...argv: string[]) => runCommand(Compare, argv);
async function json(...argv: string[]): Promise<Comparison> {
  const { code, stdout } = await compare(...argv, '--json');
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout);
}

describe('sspec compare', () => {
  it('says the same of each side as its own evaluation, where all prompts are in common', async () => {
    const { rows } = await json(a, a);
    const own = readResults(join(a, 'results.json')).rows;
    expect(rows.map(({ dataset, first }) => [dataset, first.method])).toEqual(
      own.map(({ dataset, method }) => [dataset, method]),
    );
    rows.forEach(({ tokens_per_second, speedup, prompts }, i) => {
      expect(prompts).toBe(own[i]!.prompts);
      expect(tokens_per_second.first).toBeCloseTo(own[i]!.tokens_per_second!, 6);
      expect(tokens_per_second).toMatchObject({ ratio: 1, ratio_ci95: [1, 1] });
      if (speedup) expect(speedup.second).toBeCloseTo(own[i]!.speedup!, 9);
    });
  });

  it('compares two runs over the prompts that both have, and tells what differs', async () => {
    const { rows, differences, notes } = await json(a, b);
    expect(rows.map(({ dataset, prompts }) => `${dataset} ${prompts}`)).toEqual(
      ['code 5', 'math 5', 'all 10'].flatMap((row) => [row, row]),
    );
    for (const { tokens_per_second: figure } of rows) {
      expect(figure.ratio).toBeCloseTo(figure.second / figure.first, 9);
      expect(figure.ratio_ci95![0]).toBeLessThanOrEqual(figure.ratio);
      expect(figure.ratio_ci95![1]).toBeGreaterThanOrEqual(figure.ratio);
    }
    expect(differences).toContainEqual({ what: 'max new tokens', first: '12', second: '16' });
    expect(notes).toContainEqual(expect.stringMatching(/^10 prompts are in common, of 12 /));
  });

  it('prints tables of 80 columns, Markdown, LaTeX, and CSV with what differs on stderr', async () => {
    const text = (await compare(a, b)).stdout;
    expect(text).toMatch(/Tokens per second of decoding: times of two runs/);
    expect(text).toMatch(/^Speedup over autoregressive decoding/m);
    expect(text).toMatch(/They differ in max new tokens: 12 in the first, 16 in the second\./);
    expect(text).toMatch(/Outputs differ in length, .*autoregressive at \d+ of 10 prompts/);
    const narrow = formatComparison(await json(a, b), 'table', 80);
    const path = new RegExp(root, 'g');
    for (const line of narrow.replace(path, '').split('\n'))
      expect([...line].length, line).toBeLessThanOrEqual(80);
    expect((await compare(a, b, '--format', 'md')).stdout).toMatch(/^\| all \| lookup \| \d/m);
    const latex = (await compare(a, b, '--format', 'latex')).stdout;
    expect(latex.match(/\\begin\{tabular\}/g)).toHaveLength(2);
    expect(latex).toMatch(/^% They differ in/m);
    const csv = await compare(a, b, '--format', 'csv');
    const [head, ...lines] = csv.stdout.trimEnd().split('\n');
    expect(head).toContain('speedup_ratio,speedup_ratio_ci95_low,speedup_ratio_ci95_high');
    expect(lines).toHaveLength(6);
    expect(csv.stderr).toMatch(/^Note: They differ in max new tokens/m);
  });

  it('compares two methods of one run, without a word of two', async () => {
    const { stdout } = await compare(a, a, '--method', 'autoregressive,lookup');
    expect(stdout).toMatch(/^all +autoregressive \/ lookup /m);
    expect(stdout).not.toMatch(/two runs/);
    // The method that is set to decode with is none to compare.
    vi.stubEnv('SSPEC_METHOD', 'lookup');
    expect((await json(a, a)).rows).toHaveLength(6);
  });

  it('takes results.json, and one of another name without samples', async () => {
    expect((await json(join(a, 'results.json'), b)).rows[0]!.prompts).toBe(5);
    const copy = join(root, 'copy.json');
    copyFileSync(join(a, 'results.json'), copy);
    const { stdout } = await compare(copy, b);
    expect(stdout).toMatch(/neither intervals nor verdicts: no samples\.jsonl for/);
    expect(stdout).not.toMatch(/95% interval/);
  });

  it('refuses what is no evaluation, or has nothing in common, in one sentence', async () => {
    expectRefused(await compare(join(root, 'none'), b), /There is no .*none; name the folder/);
    expectRefused(await compare(root, b), /There is no .*results\.json/);
    expectRefused(await compare(a, b, '--method', 'skip'), /--method skip: .* no such method/);
    expectRefused(await compare(a), /SECOND/);
    const broken = join(root, 'broken');
    mkdirSync(broken);
    copyFileSync(join(a, 'results.json'), join(broken, 'results.json'));
    const lines = readFileSync(join(a, 'samples.jsonl'), 'utf8').split('\n');
    const samples = (second: string) =>
      writeFileSync(join(broken, 'samples.jsonl'), [lines[0], second].join('\n'));
    samples('{"dataset":');
    expectRefused(await compare(broken, b), /samples\.jsonl:2: the line is not JSON/);
    samples(JSON.stringify({ ...JSON.parse(lines[1]!), decode_seconds: -1 }));
    expectRefused(await compare(broken, b), /samples\.jsonl:2: field "decode_seconds"/);
    samples(JSON.stringify({ ...JSON.parse(lines[1]!), method: 'autoregressive' }));
    expectRefused(await compare(broken, b, '--method', 'lookup'), /no method in common/);
    const empty = join(root, 'empty');
    mkdirSync(empty);
    copyFileSync(join(a, 'results.json'), join(empty, 'results.json'));
    writeFileSync(join(empty, 'samples.jsonl'), '');
    expectRefused(await compare(empty, b), /have no prompt in common/);
  });
});
