// node --import ./test/register-typescript.mjs FILE.ts: runs TypeScript on Node 20, for experiments and for tests that
// start a process. Imports ending in .js resolve to the .ts beside them; types are removed, not checked. What that gives is
// kept in the cache folder: loading TypeScript takes longer than most of these processes run.
import { register } from 'node:module';

const source = `
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
const typescript = ${JSON.stringify(import.meta.resolve('typescript'))};
const version = readFileSync(new URL('../package.json', typescript), 'utf8');
const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sspec', 'typescript');
export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js')) {
    const url = new URL(specifier.slice(0, -3) + '.ts', context.parentURL);
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const text = readFileSync(fileURLToPath(url), 'utf8');
  const path = join(folder, createHash('sha256').update(version).update(text).digest('hex') + '.js');
  try {
    return { format: 'module', source: readFileSync(path, 'utf8'), shortCircuit: true };
  } catch {}
  const { default: ts } = await import(typescript);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const source = ts.transpileModule(text, { compilerOptions }).outputText;
  try {
    mkdirSync(folder, { recursive: true });
    const temporary = path + '.' + randomUUID();
    writeFileSync(temporary, source);
    renameSync(temporary, path);
  } catch {} // A cache that cannot be written is none.
  return { format: 'module', source, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(source)}`);
