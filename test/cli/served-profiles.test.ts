import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { namedFiles } from '../../src/cli/served-profiles.js';
import { temporaryDirectory } from '../helpers/temporary.js';

it('profiles have names, but for the default', () => {
  expect(namedFiles([])).toEqual([]);
  expect(namedFiles(['a.json', 'code=b.json', 'c-1=d=e.json'])).toEqual([
    { name: 'default', file: 'a.json' },
    { name: 'code', file: 'b.json' },
    { name: 'c-1', file: 'd=e.json' },
  ]);
  // Paths are paths.
  expect(namedFiles(['./x=1/a.json'])).toEqual([{ name: 'default', file: './x=1/a.json' }]);
  const file = join(temporaryDirectory(), 'a.json');
  expect(namedFiles([`n=${file}`])).toEqual([{ name: 'n', file }]);
});

it('a file with = in its name is a file', () => {
  const before = process.cwd();
  process.chdir(temporaryDirectory());
  try {
    writeFileSync('k=8.json', '{}');
    expect(namedFiles(['k=8.json'])).toEqual([{ name: 'default', file: 'k=8.json' }]);
  } finally {
    process.chdir(before);
  }
});

it.each([
  [['a.json', 'b.json'], /b\.json is the second without a name: write NAME=b\.json/],
  [['a=1.json', 'a=2.json'], /--profile has a twice/],
  [['a=1.json', '2.json'], /2\.json has no name but is not the first/],
  [['auto=1.json'], /"auto" lets the server choose/],
])('%j is refused', (flags, message) => {
  expect(() => namedFiles(flags)).toThrow(message);
});
