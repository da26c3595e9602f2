import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { commandLine } from '../../src/cli/command-line.js';

it('leaves plain arguments as they are', () => {
  expect(commandLine('eval', ['--limit', '4', '--dataset', 'code,math'])).toBe(
    'sspec eval --limit 4 --dataset code,math',
  );
});

it.runIf(process.platform !== 'win32')('gives a shell exactly the arguments', () => {
  const argv = ['a b', "it's", '$HOME', '', '"', '*', 'é', '\\'];
  const line = commandLine('x', argv);
  const script = `sspec() { shift; for argument; do printf '%s\\0' "$argument"; done; }; ${line}`;
  const seen = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  expect(seen.split('\0').slice(0, -1)).toEqual(argv);
});
