import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { createVitest } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

/** All that a module imports, however deep: packages by their names, modules by their paths. */
function reached(file: string, into = new Set<string>()): Set<string> {
  if (into.has(file)) return into;
  into.add(file);
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  for (const { fileName } of importedFiles) {
    const path = join(dirname(file), fileName.replace(/\.js$/, '.ts'));
    if (!fileName.startsWith('.')) into.add(fileName);
    else if (existsSync(path)) reached(path, into);
  }
  return into;
}

it('tests that run beside one another load no runtime and start no process; every test is in one project', async () => {
  const vitest = await createVitest('test', { root, watch: false, run: false });
  try {
    const files = await vitest.globTestSpecifications();
    const of = (name: string) =>
      files.filter(({ project }) => project.name === name).map(({ moduleId }) => moduleId);
    const fast = of('fast');
    expect(fast.length).toBeGreaterThan(50);
    const heavy = fast.filter((file) => {
      const all = reached(file);
      const startsOne = [...all].some(
        (one) =>
          one.startsWith(join(root, 'test')) && /child_process/.test(readFileSync(one, 'utf8')),
      );
      return all.has('onnxruntime-node') || (startsOne && file !== fileURLToPath(import.meta.url));
    });
    expect(heavy.map((file) => relative(root, file))).toEqual([]);
    const all = [...fast, ...of('model'), ...of('alone')];
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(files.length);
  } finally {
    await vitest.close();
  }
});
