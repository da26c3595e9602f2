#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { followFirstProcess, runWithLargePages, wantsLargePages } from './large-pages.js';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
const argv = process.argv.slice(2);
if (!existsSync(main)) {
  process.stderr.write('Error: sspec is not built yet; run "npm run build" in its folder.\n');
  process.exitCode = 1;
} else if (wantsLargePages(argv)) {
  process.exitCode = await runWithLargePages();
} else {
  followFirstProcess();
  const cli = await import(main.href);
  process.exitCode = await cli.main(argv, import.meta.url);
}
