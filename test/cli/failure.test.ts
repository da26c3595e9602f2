import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { exitCodeOf } from '../../src/cli/main.js';
import { root } from '../helpers/built.js';

/** What a script with the flag --tokens N tells of these arguments, and its exit code. */
async function tell(...argv: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  try {
    const code = await exitCodeOf(argv, async () => {
      parseArgs({ args: argv, options: { tokens: { type: 'string' }, all: { type: 'boolean' } } });
    });
    return { code, stderr: stripVTControlCharacters(stderr) };
  } finally {
    spy.mockRestore();
  }
}

describe('arguments that parseArgs of node:util refuses', () => {
  it.each([
    ['an unknown flag', ['--mask', '3'], "Unknown option '--mask'"],
    ['a word that is no flag', ['a. b'], "Unexpected argument 'a. b'"],
    ['a flag without its value', ['--tokens'], "Option '--tokens <value>' argument missing"],
    ['a flag for a value', ['--tokens', '--x'], "Option '--tokens' argument is ambiguous"],
    ['a value for a switch', ['--all=3'], "Option '--all' does not take an argument"],
  ])('%s: exit code 2 and one sentence', async (_, argv, what) => {
    const { code, stderr } = await tell(...argv);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `Error: ${what}; the comment at the head of the script tells its options.\n`,
    );
  });

  it('are told of so by every script', () => {
    const folder = join(root, 'experiments');
    const scripts = readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .filter((text) => text.includes('parseArgs('));
    expect(scripts.length).toBeGreaterThan(2);
    for (const text of scripts) {
      const [comment] = text.split('*/');
      expect(comment).toContain('[--');
      expect(text).toMatch(/^process\.exitCode = await exitCodeOf\(argv, /m);
      // Nothing is parsed outside a function, where no one would catch what it throws.
      expect(text).not.toMatch(/^(?:const|let) .*parseArgs\(/m);
    }
  });
});
