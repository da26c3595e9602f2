import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import Report from '../../commands/report.js';
import Search from '../../commands/search.js';
import StudyCopy from '../../commands/study/copy.js';
import StudyExport from '../../commands/study/export.js';
import StudyList from '../../commands/study/list.js';
import StudyRemove from '../../commands/study/rm.js';
import StudyShow from '../../commands/study/show.js';
import {
  hasPostgres,
  PASSWORD,
  startPostgres,
  type TestServer,
  WITHOUT_POSTGRES,
} from '../helpers/postgres.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { writeSearchModel } from '../search/example.js';
import { expectRefused, runCommand } from './run.js';

describe.runIf(hasPostgres)(`commands over a database${WITHOUT_POSTGRES}`, () => {
  let server: TestServer;
  let directory: string;
  const secrets = [PASSWORD, encodeURIComponent(PASSWORD)];
  const seen: string[] = [];
  beforeAll(async () => {
    server = await startPostgres(temporaryDirectory());
    directory = temporaryDirectory();
    writeFileSync(
      join(directory, 'prompts.jsonl'),
      Array.from({ length: 6 }, (_, i) => `${JSON.stringify({ prompt: `${i} and more` })}\n`).join(
        '',
      ),
    );
  });
  afterAll(() => server.stop('immediate'));

  const run = async (...[command, argv]: Parameters<typeof runCommand>) => {
    const result = await runCommand(command, argv);
    seen.push(result.stdout, result.stderr);
    return result;
  };
  const profile = () => join(directory, 'profile.json');
  const search = (trials: number, ...argv: string[]) =>
    run(Search, [
      ...['--model', writeSearchModel(), '--dataset', join(directory, 'prompts.jsonl')],
      ...['--output', profile(), '--study', 'mine', '--sampler', 'random', '--finalists', '1'],
      ...['--prompts-per-trial', '1', '--max-new-tokens', '8', '--threads', '1', '-q'],
      ...['--storage', server.url(), '--trials', `${trials}`, ...argv],
    ]);

  it('search, go on, show, list, export, report, copy both ways and remove', async () => {
    expect((await search(2)).code).toBe(0);
    expectRefused(await search(2), /already holds a study/);
    const resumed = await search(3, '--resume', '--json');
    expect(JSON.parse(resumed.stdout)).toMatchObject({ study: 'mine', trials: 3 });
    const storage = ['--storage', server.url()];

    const list = await run(StudyList, [...storage, '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject({
      storage: `postgres://owner@127.0.0.1:${server.port}/studies`,
      studies: [{ study: 'mine', finished: 3 }],
    });
    expect((await run(StudyList, storage)).stdout).toContain('mine');
    expect((await run(StudyShow, ['mine', ...storage, '--json'])).stdout).toContain(
      '"finished": 3',
    );
    const exported = await run(StudyExport, ['mine', ...storage]);
    expect(exported.stdout.trim().split('\n')).toHaveLength(4);
    const page = join(directory, 'page.html');
    expect((await run(Report, ['mine', ...storage, '--output', page])).code).toBe(0);
    for (const file of [page, profile()]) seen.push(readFileSync(file, 'utf8'));

    const folder = join(directory, 'copies');
    const copy = (...argv: string[]) => run(StudyCopy, [...argv, '-q']);
    expect((await copy(server.url(), folder)).stdout).toMatch(/^Copied mine, \d+ events\.\n$/);
    seen.push(readFileSync(join(folder, 'mine.jsonl'), 'utf8'));
    expectRefused(await copy(server.url(), folder), /copies has a study "mine" already/);
    expectRefused(await copy(folder, server.url()), /postgres:\/\/owner@\S* has a study "mine"/);
    const other = server.url('owner', 'empty');
    expect((await copy(folder, other, '--study', 'mine')).code).toBe(0);
    expectRefused(
      await copy(folder, other.replace('empty', 'studies'), '--study', 'no'),
      /no study "no"/,
    );
    const again = join(directory, 'again');
    expect((await copy(other, again)).code).toBe(0);
    expect(readFileSync(join(again, 'mine.jsonl'))).toEqual(
      readFileSync(join(folder, 'mine.jsonl')),
    );
    expectRefused(await copy(join(directory, 'none'), again), /There are no studies in/);
    expect(existsSync(join(directory, 'none'))).toBe(false);

    expect((await run(StudyRemove, ['mine', '--yes', ...storage])).code).toBe(0);
    expectRefused(await run(StudyShow, ['mine', ...storage]), /no study "mine"/);
    expectRefused(await run(StudyList, ['--storage', server.url('owner', 'no')]), /no database of/);
  });

  it('never tell the password', () => {
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.join('\n')).toContain("--storage 'postgres://owner:***@127.0.0.1");
    for (const text of seen) for (const secret of secrets) expect(text).not.toContain(secret);
  });
});
