// Weights are read from memory with every token, and on Linux a good deal faster from large pages. The C library asks for them
// when a variable says so as a process starts, so a process that runs a model is started once more with that variable.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const VARIABLE = 'GLIBC_TUNABLES';
/**
 * Blocks of up to 32 MB come from the heap, one beside the other: most matrices of a small model are shorter than a large page, and in
 * mappings of their own it was chance how many of them lay in one.
 */
const LARGE_PAGES = 'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432';

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
  // A terminal's Ctrl-C reaches both processes by itself, `kill` only this one: there the other is told, and knows what it had.
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => {
    if (!isTerminal) child.kill('SIGINT');
    else if (child.connected) child.send('SIGINT');
  });
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
  interruptWhenTold();
  // It does not keep the process running.
  process.channel.unref();
}

/** How long a signal that was sent to both processes may come after the word of the first one. */
const GRACE_MS = 50;

/** Each SIGINT that the first process tells of and that did not come by itself is sent. */
function interruptWhenTold() {
  let heard = 0;
  let told = 0;
  const hear = () => heard++;
  // Only beside another listener: alone it would keep the signal from ending the process.
  process.on('newListener', (name, listener) => {
    if (name === 'SIGINT' && listener !== hear && process.listenerCount(name) === 0)
      process.on(name, hear);
  });
  process.on('removeListener', (name) => {
    if (name === 'SIGINT' && process.listeners(name).every((listener) => listener === hear))
      process.off(name, hear);
  });
  process.on('message', () => {
    told++;
    setTimeout(() => {
      if (heard < told) process.kill(process.pid, 'SIGINT');
    }, GRACE_MS).unref();
  });
}
