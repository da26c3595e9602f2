// node --import ./test/register-typescript.mjs FILE.ts: runs TypeScript on Node 20, for experiments and for tests that
// start a process. Imports ending in .js resolve to the .ts beside them; types are removed, not checked.
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

const source = `
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from ${JSON.stringify(import.meta.resolve('typescript'))};
export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js')) {
    const url = new URL(specifier.slice(0, -3) + '.ts', context.parentURL);
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}
export function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const text = readFileSync(fileURLToPath(url), 'utf8');
  return { format: 'module', source: ts.transpileModule(text, { compilerOptions }).outputText, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(source)}`);
