import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a process ended: its exit code, null where it was killed, and what it had written to stderr. */
export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** A command that runs until it is done or killed. */
export interface RunningCommand {
  readonly ended: Promise<Ended>;
  /** Kills it as nothing can be caught; resolves once it is gone. */
  kill(): Promise<void>;
}

/** @param argv the command, `search` or `worker`, and its flags. */
export function startCommand(argv: readonly string[]): RunningCommand {
  const child = fork(fileURLToPath(new URL('./command-process.ts', import.meta.url)), [...argv], {
    execArgv: ['--import', './test/register-typescript.mjs'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stderr }));
  });
  return {
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
