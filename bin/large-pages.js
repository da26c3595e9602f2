// Weights are read from memory with every token, and on Linux a good deal faster from large pages. The C library asks for them
// when a variable says so as a process starts, so a process that runs a model is started once more with that variable.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const VARIABLE = 'GLIBC_TUNABLES';
const LARGE_PAGES = 'glibc.malloc.hugetlb=1';

/** Commands that run models; the others gain nothing. */
const RUNNING = new Set(['generate', 'chat', 'search', 'eval', 'serve', 'worker', 'model']);

/** Whether this process is to start itself once more. Whoever has set the variable has decided. */
export function wantsLargePages(argv) {
  return (
    process.platform === 'linux' && process.env[VARIABLE] === undefined && RUNNING.has(argv[0])
  );
}

/** Runs this program again with large pages, as if it were this process; returns the exit code. */
export function runWithLargePages() {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, [VARIABLE]: LARGE_PAGES },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal's Ctrl-C reaches both processes by itself.
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => isTerminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** In the process that was started so: it ends when the first one does, whatever ended that. */
export function followFirstProcess() {
  if (!process.channel) return;
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // It does not keep the process running.
  process.channel.unref();
}
