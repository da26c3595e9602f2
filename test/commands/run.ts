import { fileURLToPath } from 'node:url';
import type { Command, Config } from '@oclif/core';
import { expect, vi } from 'vitest';
import { exitCodeOf } from '../../src/cli/main.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a command did. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, as the command line would, and catches what it writes. */
export async function runCommand(
  command: typeof Command & (new (argv: string[], config: Config) => Command),
  argv: string[],
): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await exitCodeOf(argv, () => command.run(argv, root));
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Exit code 2, one sentence on stderr, nothing on stdout. */
export function expectRefused({ code, stdout, stderr }: CommandResult, message: RegExp) {
  expect(stderr).toMatch(message);
  // Progress of a first use may stand before it.
  expect(stderr).toMatch(/(?:^|\n)Error: [^\n]+\.\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}
