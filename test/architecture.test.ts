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
  ['src/reporting'],
  ['src/search'],
  ['src/evaluation'],
  ['src/measurement'],
  ['src/decoding'],
  ['src/engine'],
  ['src/graph'],
  ['src/checkpoint', 'src/profile', 'src/datasets'],
  ['src'],
];

/** What each module imports of this repository: paths relative to the root, `.ts`. Types and `import()` count too. */
const modules = new Map(
  ['src', 'commands']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [posix(file), importsOf(file)]),
);

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
    expect(modules.get('src/search/trial.ts')).toContain('src/decoding/method.ts');
    expect(modules.get('commands/search.ts')).toContain('src/search/run.ts');
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

  it('the library has nothing of the command line in it', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      modules.get(file)?.forEach(visit);
    };
    visit('src/index.ts');
    const terminal = [...reached].filter((file) =>
      /^(commands|src\/cli|src\/reporting)\//.test(file),
    );
    expect(terminal).toEqual([]);
  });

  it('no module imports itself by way of others', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file)) return;
      done.add(file);
      for (const target of modules.get(file) ?? []) visit(target, [...path, file]);
    };
    for (const file of modules.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
