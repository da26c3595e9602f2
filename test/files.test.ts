import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../src/errors.js';
import { cacheDirectory, checkWritable, writeFileAtomic } from '../src/files.js';
import { temporaryDirectory } from './helpers/temporary.js';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), 'old');
});

describe('writing a file', () => {
  it('replaces what is there, makes folders that are missing, and leaves nothing else', () => {
    writeFileAtomic(join(directory, 'file'), 'new');
    writeFileAtomic(join(directory, 'a', 'b', 'bytes'), Uint8Array.of(1, 2, 3));
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('new');
    expect([...readFileSync(join(directory, 'a', 'b', 'bytes'))]).toEqual([1, 2, 3]);
    expect(readdirSync(directory).sort()).toEqual(['a', 'file']);
    expect(readdirSync(join(directory, 'a', 'b'))).toEqual(['bytes']);
  });

  it('replaces what a link leads to, not the link, and no device', () => {
    const link = join(directory, 'link');
    symlinkSync('file', link);
    writeFileAtomic(link, 'new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('new');
    const device = join(directory, 'device');
    symlinkSync('/dev/null', device);
    writeFileAtomic(device, 'new');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(readdirSync(directory).sort()).toEqual(['device', 'file', 'link']);
  });

  it('of no name is refused', () => {
    expect(() => checkWritable('')).toThrow(/the name is empty/);
  });

  it('that cannot be there says so and leaves what is there', () => {
    mkdirSync(join(directory, 'folder', 'full'), { recursive: true });
    for (const path of [join(directory, 'file', 'below'), join(directory, 'folder')]) {
      expect(() => writeFileAtomic(path, 'new')).toThrow(InputError);
      expect(() => writeFileAtomic(path, 'new')).toThrow(`Cannot write ${path}: `);
      expect(() => checkWritable(path)).toThrow(InputError);
      expect(() => checkWritable(path)).toThrow(`Cannot write ${path}: `);
    }
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(directory).sort()).toEqual(['file', 'folder']);
  });
});

it('a place that can be written is left as it was, but for its folder', () => {
  checkWritable(join(directory, 'file'));
  checkWritable(join(directory, 'a', 'new'));
  expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('old');
  expect(existsSync(join(directory, 'a', 'new'))).toBe(false);
  expect(readdirSync(join(directory, 'a'))).toEqual([]);
});

it('the cache folder follows XDG_CACHE_HOME', () => {
  vi.stubEnv('XDG_CACHE_HOME', directory);
  expect(cacheDirectory()).toBe(join(directory, 'sspec'));
  vi.stubEnv('XDG_CACHE_HOME', '');
  expect(cacheDirectory()).toMatch(/[\\/]\.cache[\\/]sspec$/);
  vi.unstubAllEnvs();
});
