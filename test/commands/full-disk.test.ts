import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import Eval from '../../commands/eval.js';
import Generate from '../../commands/generate.js';
import ProfileExport from '../../commands/profile/export.js';
import ProfileImport from '../../commands/profile/import.js';
import Report from '../../commands/report.js';
import Search from '../../commands/search.js';
import StudyExport from '../../commands/study/export.js';
import { canMount, filesOn, smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { writeStudy } from '../reporting/report/example.js';
import { writeSearchModel } from '../search/example.js';
import { runCommand } from './run.js';

/** A page is what a lock needs: what is written after it finds no room. */
const LOCK = 1;

describe.runIf(canMount)('on a full disk (skipped where nothing may be mounted)', () => {
  let folder: string;
  let profile: string;
  let search: string[];
  const model = writeSearchModel();
  beforeAll(async () => {
    folder = temporaryDirectory();
    profile = join(folder, 'profile.json');
    writeFileSync(profile, JSON.stringify(exampleProfile));
    writeFileSync(join(folder, 'skip.json'), '{"attention": [0], "mlp": [1]}');
    writeFileSync(join(folder, 'prompts.txt'), 'one\ntwo and\nthree\nfour more\n');
    await writeStudy(folder, 'first');
    search = [
      ...['--model', model, '--threads', '1', '--dataset', join(folder, 'prompts.txt'), '-q'],
      ...['--max-new-tokens', '8'],
    ];
  });

  it.each([
    ['generate', LOCK, (disk: string) => runCommand(Generate, [...search, '-o', join(disk, 'a')])],
    ['eval', LOCK, (disk: string) => runCommand(Eval, [...search, '--output-dir', disk])],
    [
      'search, the study',
      LOCK,
      (disk: string) =>
        runCommand(Search, [...search, '-o', join(folder, 'no.json'), '--storage', disk]),
    ],
    [
      'search, the profile',
      0,
      (disk: string) =>
        runCommand(Search, [
          ...[...search, '--storage', join(folder, 'studies'), '--trials', '2'],
          ...['--finalists', '1', '--sampler', 'random', '-o', join(disk, 'p.json')],
        ]),
    ],
    [
      'report',
      0,
      (disk: string) => runCommand(Report, [join(folder, 'first.jsonl'), '-o', join(disk, 'r')]),
    ],
    [
      'report --figures',
      5,
      (disk: string) =>
        runCommand(Report, [
          ...[join(folder, 'first.jsonl'), '-o', join(folder, 'no.html'), '--figures', disk],
        ]),
    ],
    [
      'profile export',
      0,
      (disk: string) => runCommand(ProfileExport, [profile, '-o', join(disk, 'e')]),
    ],
    [
      'profile import',
      0,
      (disk: string) =>
        runCommand(ProfileImport, [
          ...[join(folder, 'skip.json'), '--model', model, '-o', join(disk, 'i'), '-q'],
        ]),
    ],
    [
      'study export',
      0,
      (disk: string) =>
        runCommand(StudyExport, ['first', '--storage', folder, '-o', join(disk, 'e')]),
    ],
  ])('%s says so and leaves nothing', async (_, pages, run) => {
    const disk = smallDisk(pages);
    const { code, stderr } = await run(disk);
    expect(stderr).toMatch(/Error: Cannot write [^\n]*ENOSPC[^\n]*\.\n$/);
    expect(code).toBe(2);
    expect(filesOn(disk)).toEqual([]);
  });
});
