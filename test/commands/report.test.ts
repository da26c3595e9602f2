import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import Eval from '../../commands/eval.js';
import Report from '../../commands/report.js';
import { loadModel } from '../../src/engine/load-model.js';
import { pdfRenderer } from '../../src/reporting/pdf.js';
import { pngRenderer } from '../../src/reporting/png.js';
import { root } from '../helpers/built.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { writeEvaluationFolder, writeStudy } from '../reporting/report/example.js';
import { expectRefused, runCommand } from './run.js';

let folder: string;
let storage: string;
let profile: string;
beforeAll(async () => {
  folder = temporaryDirectory();
  storage = join(folder, 'studies');
  writeEvaluationFolder(join(folder, 'eval'));
  await writeStudy(storage, 'first');
  await writeStudy(storage, 'second', {});
  profile = join(folder, 'code.json');
  writeFileSync(profile, JSON.stringify(exampleProfile));
});

const report = (...argv: string[]) => runCommand(Report, [...argv, '--storage', storage]);
const output = () => join(temporaryDirectory(), 'page.html');

describe('sspec report', () => {
  it('makes a page of an evaluation, a study by its name and a profile', async () => {
    const page = output();
    const { code, stdout } = await report(join(folder, 'eval'), 'first', profile, '-o', page);
    expect(code).toBe(0);
    expect(stdout).toBe(`Report written to ${page}.\n`);
    const html = readFileSync(page, 'utf8');
    for (const title of ['Evaluation of demo in int8', 'Study first', 'Profile code.json'])
      expect(html).toContain(`<h2>${title}</h2>`);
    expect(html.trimEnd().endsWith('</html>')).toBe(true);
  });

  it('takes results.json, a journal, or a folder of studies; --json tells what it took', async () => {
    const page = output();
    const results = join(folder, 'eval', 'results.json');
    const argv = [results, join(storage, 'first.jsonl'), storage, '-o', page, '--json'];
    const { code, stdout } = await report(...argv);
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      report: page,
      figures: [],
      inputs: [
        { kind: 'evaluation', path: join(folder, 'eval') },
        { kind: 'study', path: join(storage, 'first.jsonl') },
        { kind: 'study', path: join(storage, 'first.jsonl') },
        { kind: 'study', path: join(storage, 'second.jsonl') },
      ],
    });
  });

  it('takes all of a folder that it can tell of, and this repository’s results', async () => {
    const mixed = join(temporaryDirectory(), 'mixed');
    writeEvaluationFolder(join(mixed, 'a'));
    copyFileSync(join(mixed, 'a', 'results.json'), join(mixed, 'other.json'));
    copyFileSync(profile, join(mixed, 'code.json'));
    copyFileSync(join(storage, 'first.jsonl'), join(mixed, 'first.jsonl'));
    writeFileSync(join(mixed, 'timings.json'), '{"rows":[]}');
    mkdirSync(join(mixed, 'notes'));
    const { code, stdout } = await report(mixed, '-o', output(), '--json');
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout).inputs).toEqual([
      { kind: 'evaluation', path: join(mixed, 'a') },
      { kind: 'profile', path: join(mixed, 'code.json') },
      { kind: 'evaluation', path: join(mixed, 'other.json') },
      { kind: 'study', path: join(mixed, 'first.jsonl') },
    ]);
    const results = await report(join(root, 'results'), '-o', output(), '--json');
    expect(results.code, results.stdout).toBe(0);
    const kinds = JSON.parse(results.stdout).inputs.map(({ kind }: { kind: string }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['evaluation', 'profile']));
  });

  it('writes every figure as SVG, and as PNG and PDF where these can be drawn', async () => {
    const figures = join(temporaryDirectory(), 'figures');
    const argv = [profile, '-o', output(), '--figures', figures, '--json'];
    const { code, stdout } = await report(...argv);
    expect(code, stdout).toBe(0);
    const endings = [
      ...((await pdfRenderer()) ? ['pdf'] : []),
      ...((await pngRenderer()) ? ['png'] : []),
      'svg',
    ];
    const expected = ['profile-mask', 'profile-speedups'].flatMap((name) =>
      endings.map((ending) => `${name}.${ending}`),
    );
    const written = readdirSync(figures).sort();
    expect(written).toEqual(expect.arrayContaining(expected));
    expect(JSON.parse(stdout).figures.sort()).toEqual(written.map((name) => join(figures, name)));
    const svg = () => readFileSync(join(figures, 'profile-speedups.svg'), 'utf8');
    const title = '>Speedup by dataset and method</text>';
    expect(svg()).toContain(title);
    await report(...argv, '--no-titles');
    expect(svg()).not.toContain(title);
    if (endings.includes('pdf'))
      expect(readFileSync(join(figures, 'profile-mask.pdf'), 'latin1')).toMatch(/^%PDF-1/);
  });

  it('refuses with one sentence, and writes nothing', async () => {
    const page = output();
    const bad = writeEvaluationFolder(join(folder, 'bad'), { precision: 7 });
    const other = join(folder, 'other.json');
    writeFileSync(other, '{"name":"x"}');
    mkdirSync(join(folder, 'empty'));
    for (const [path, message] of [
      [bad, /bad\/results\.json: field "precision" cannot be used/],
      [other, /neither an evaluation's results\.json nor a skip profile/],
      [join(folder, 'empty'), /has no evaluation .*, no skip profile and no study's journal/],
      ['third', /no file or folder third, and no study of that name/],
      [join(folder, 'eval', 'samples.jsonl'), /is a part of an evaluation; name its folder/],
    ] as const) {
      expectRefused(await report(profile, path, '-o', page), message);
      expect(existsSync(page)).toBe(false);
    }
    expectRefused(await report(profile, '-o', join(profile, 'x.html')), /Cannot write/);
    expectRefused(await report(), /Missing argument: PATH \(/);
    expectRefused(await report(profile, '--nothing'), /Unknown flag/);
  });
});

it('sspec eval --output-dir writes the same page, with a real model’s texts', async () => {
  const { engine } = await loadModel('demo');
  const fitting = {
    ...exampleProfile,
    model: {
      ...exampleProfile.model,
      reference: 'demo',
      layers: engine.config.layers,
      weights_hash: engine.model.weightsHash,
    },
  };
  await engine.close();
  const file = join(folder, 'fitting.json');
  writeFileSync(file, JSON.stringify(fitting));
  const directory = join(folder, 'measured');
  const argv = [
    ...['--profile', file, '--dataset', 'code', '--limit', '1', '--max-new-tokens', '8', '-q'],
    ...['--repetitions', '1', '--no-warmup', '--output-dir', directory],
  ];
  expect((await runCommand(Eval, argv)).code).toBe(0);
  const written = readFileSync(join(directory, 'report.html'), 'utf8');
  expect(written).toContain('Sublayers that the draft runs');
  expect(written).toContain(`sspec eval ${argv.join(' ')}`);
  const [plain] = readFileSync(join(directory, 'samples.jsonl'), 'utf8').split('\n');
  const sample = JSON.parse(plain!);
  expect(sample.pieces.length).toBe(sample.new_tokens);
  expect(sample.pieces.join('')).toBe(sample.text);
  expect(written).toContain(escaped(sample.text));

  const page = output();
  expect((await report(directory, '-o', page)).code).toBe(0);
  expect(readFileSync(page, 'utf8')).toBe(written);
});

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
