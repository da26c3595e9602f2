#!/usr/bin/env -S GLIBC_TUNABLES=glibc.malloc.hugetlb=1 node
import { existsSync } from 'node:fs';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(main)) {
  const cli = await import(main.href);
  process.exitCode = await cli.main(process.argv.slice(2), import.meta.url);
} else {
  process.stderr.write('Error: sspec is not built yet; run "npm run build" in its folder.\n');
  process.exitCode = 1;
}
