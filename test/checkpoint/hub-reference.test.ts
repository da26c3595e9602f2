import { describe, expect, it } from 'vitest';
import {
  formatHubReference,
  isPlainPath,
  parseHubReference,
} from '../../src/checkpoint/hub-reference.js';

describe('a Hub reference', () => {
  it.each([
    ['org/name', 'main', null],
    ['org/name@v1.0', 'v1.0', null],
    ['org/name@refs/pr/1', 'refs/pr/1', null],
    ['org/name@a/b', 'a/b', null],
    ['org/name/m Q4 (1).gguf', 'main', 'm Q4 (1).gguf'],
    ['org/name/sub/m.GGUF', 'main', 'sub/m.GGUF'],
    ['org/name@v1/sub/m.gguf', 'v1', 'sub/m.gguf'],
    ['org/name@refs/pr/1/m.gguf', 'refs/pr/1', 'm.gguf'],
  ])('%s', (ref, revision, file) => {
    const parsed = parseHubReference(ref);
    expect(parsed).toEqual({ org: 'org', name: 'name', revision, file });
    expect(formatHubReference(parsed!)).toBe(ref);
  });

  it.each([
    'org/name/../m.gguf',
    'org/name//m.gguf',
    'org/name/sub\\m.gguf',
    'org/name/m.bin',
    'org/name@a..b',
    'org/name@../m.gguf',
    'org/a--b/m.gguf',
    'name/m.gguf/',
  ])('refuses %j', (ref) => {
    expect(parseHubReference(ref)).toBeNull();
  });

  it('keeps paths below their folder', () => {
    for (const path of ['a', 'a/b.c', '.gitattributes', '..a'])
      expect(isPlainPath(path)).toBe(true);
    for (const path of ['', '/a', 'a/', 'a//b', '..', 'a/..', './a', 'a\\b', 'C:a', 'a\0'])
      expect(isPlainPath(path), path).toBe(false);
  });
});
