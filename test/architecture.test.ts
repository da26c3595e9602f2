import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Rows of the layout, the upper first; a folder imports its own row's other folders never, lower rows freely. */
const ROWS = [
  ['src/index.ts'],
  ['commands'],
  ['src/cli'],
  ['src/server'],
  ['src/reporting'],
  ['src/search'],
  ['src/evaluation'],
  ['src/study'],
  ['src/optimise'],
  ['src/measurement'],
  ['src/decoding'],
  ['src/engine'],
  ['src/graph', 'src/hub'],
  ['src/checkpoint', 'src/profile', 'src/datasets'],
  ['src/metrics'],
  ['src'],
];

/**
 * Folders that import less than the rows below them, and all that they import beside themselves: what proposes candidates is
 * arithmetic, and what keeps trials runs nothing.
 */
const NARROW: Readonly<Record<string, readonly string[]>> = {
  'src/optimise': [
    'src/decoding/draft-rule.ts',
    'src/errors.ts',
    'src/measurement/statistics.ts',
    'src/random.ts',
  ],
  'src/study': [
    'src/decoding/draft-rule.ts',
    'src/decoding/sampling/options.ts',
    'src/errors.ts',
    'src/files.ts',
    'src/json-file.ts',
    'src/lock.ts',
    'src/metrics',
    'src/optimise',
    'src/profile/mask.ts',
  ],
};

/**
 * What experiments may have of test/, and why: miniatures are the only checkpoints that can be made anywhere, and their writers are
 * the tests'; the card tells of loops what test/bundled-model.test.ts holds the model to; a server to kill searches on is made as
 * for tests.
 */
const SHARED_WITH_TESTS = [
  'test/helpers/miniature.ts',
  'test/helpers/postgres.ts',
  'test/helpers/repetition.ts',
  'test/helpers/search-model.ts',
];

const modules = modulesOf('src', 'commands');
const experiments = modulesOf('experiments');

/** What each module imports of this repository: paths relative to the root, `.ts`. Types and `import()` count too. */
function modulesOf(...folders: string[]): Map<string, string[]> {
  return new Map(
    folders
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      // The peers of experiments/peers are a package of their own.
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => [posix(file), importsOf(file)]),
  );
}

function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix(join(dirname(file), fileName.replace(/\.js$/, '.ts'))));
}

function posix(path: string): string {
  return path.split(sep).join('/');
}

/** The folder (or the module itself) that the layout lists. */
function placeOf(file: string): string {
  const listed = ROWS.flat();
  for (let place = file; place !== '.'; place = dirname(place))
    if (listed.includes(place)) return place;
  throw new Error(`${file} is in a folder that the layout does not list.`);
}

const rowOf = (place: string) => ROWS.findIndex((row) => row.includes(place));

describe('the layout', () => {
  it('finds the modules and what they import', () => {
    expect(modules.size).toBeGreaterThan(100);
    expect(modules.get('src/decoding/generate.ts')).toContain('src/errors.ts');
    // One of each kind: a type, an import() and a re-export.
    expect(modules.get('src/search/measure.ts')).toContain('src/decoding/method.ts');
    expect(modules.get('commands/search.ts')).toContain('src/search/search-model.ts');
    expect(modules.get('src/index.ts')).toContain('src/decoding/generate.ts');
    for (const [file, imports] of modules)
      for (const target of imports) expect(modules.has(target), `${file}: ${target}`).toBe(true);
  });

  it('imports go down only', () => {
    const wrong: string[] = [];
    for (const [file, imports] of modules) {
      const from = placeOf(file);
      for (const target of imports) {
        const to = placeOf(target);
        if (from !== to && rowOf(to) <= rowOf(from)) wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(NARROW))('%s imports no more than it is said to', (folder, allowed) => {
    const may = [folder, ...allowed];
    const wrong = [...modules]
      .filter(([file]) => file.startsWith(`${folder}/`))
      .flatMap(([file, imports]) =>
        imports
          .filter((target) => !may.some((one) => target === one || target.startsWith(`${one}/`)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('the library has nothing of the command line in it', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      modules.get(file)?.forEach(visit);
    };
    visit('src/index.ts');
    const terminal = [...reached].filter((file) =>
      /^(commands|src\/cli|src\/server|src\/reporting)\//.test(file),
    );
    expect(terminal).toEqual([]);
  });

  it('no module imports itself by way of others', () => {
    expect(cyclesOf(modules)).toEqual([]);
  });

  it('documents that comments name are there', () => {
    const named = [...modules.keys()].flatMap(
      (file) => readFileSync(join(root, file), 'utf8').match(/\bdocs\/[\w-]+\.md\b/g) ?? [],
    );
    const there = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !there.includes(name))).toEqual([]);
  });
});

describe('the experiments', () => {
  const importing = (wanted: (target: string) => boolean) =>
    [...experiments].flatMap(([file, imports]) =>
      imports.filter(wanted).map((target) => `${file} -> ${target}`),
    );

  it('are found, and what they import', () => {
    expect(experiments.get('experiments/run.ts')).toContain('experiments/lib/experiment.ts');
    expect(experiments.get('experiments/lib/experiment.ts')).toContain('commands/search.ts');
    const known = (target: string) =>
      modules.has(target) ||
      experiments.has(target) ||
      target.startsWith('test/') ||
      target === 'experiments/peers/answer.mjs';
    expect(importing((target) => !known(target))).toEqual([]);
  });

  it('are imported by nothing that is shipped', () => {
    const shipped = [...modules].filter(([, imports]) =>
      imports.some((target) => target.startsWith('experiments/')),
    );
    expect(shipped).toEqual([]);
  });

  it('have of test/ only what is made once for both', () => {
    const isTest = (target: string) => target.startsWith('test/');
    expect(importing((target) => isTest(target) && !SHARED_WITH_TESTS.includes(target))).toEqual(
      [],
    );
    // None stays in the list that is not needed any more.
    for (const helper of SHARED_WITH_TESTS)
      expect(importing((target) => target === helper)).not.toEqual([]);
  });

  it('have in lib what scripts share: none imports a script', () => {
    const isScript = (file: string) => experiments.has(file) && !/^experiments.lib./.test(file);
    expect(importing(isScript)).toEqual([]);
  });

  it('none imports itself by way of others', () => {
    expect(cyclesOf(experiments)).toEqual([]);
    expect(
      cyclesOf(
        new Map([
          ['a', ['b']],
          ['b', ['a']],
        ]),
      ),
    ).toEqual(['a -> b -> a']);
  });
});

function cyclesOf(modules: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file)) return;
    done.add(file);
    for (const target of modules.get(file) ?? []) visit(target, [...path, file]);
  };
  for (const file of modules.keys()) visit(file, []);
  return cycles;
}
