import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core';
import { vi } from 'vitest';
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
  command: Pick<typeof Command, 'run'>,
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
