import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const dist = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const { GLIBC_TUNABLES: _, ...env } = process.env;
const isThere = process.platform === 'linux' && existsSync(dist);
/** A generation that takes minutes unless it is stopped. */
const long = ['generate', '--prompt', 'a', '--ignore-eos', '--max-new-tokens', '900'];

/** Processes that a process started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

/** The long generation, once it writes text. */
async function started() {
  const first = spawn(process.execPath, [bin, ...long], { env });
  await new Promise((resolve) => first.stdout.once('data', resolve));
  const [second] = childrenOf(first.pid!) as [number];
  return {
    first,
    second,
    over: new Promise((resolve) => first.on('exit', (...end) => resolve(end))),
  };
}

async function isOver(pid: number): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    if (!existsSync(`/proc/${pid}/exe`)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

describe.runIf(isThere)('a command that runs a model, started once more for large pages', () => {
  it('has the exit code and the output of the second process', () => {
    const run = (...argv: string[]) => spawnSync(process.execPath, [bin, ...argv], { env });
    const wrong = run('generate', '--nope');
    expect(wrong.status).toBe(2);
    expect(String(wrong.stderr)).toContain('--nope');
    const right = run('generate', '--prompt', 'one day', '--max-new-tokens', '2', '--json');
    expect(right.status).toBe(0);
    expect(JSON.parse(String(right.stdout)).token_ids).toHaveLength(2);
  });

  it('hands signals on', async () => {
    const { first, second, over } = await started();
    expect(readFileSync(`/proc/${second}/environ`, 'utf8')).toContain('hugetlb=1');
    first.kill('SIGINT');
    expect(await over).toEqual([130, null]);
    expect(await isOver(second)).toBe(true);
  });

  it.runIf(existsSync('/usr/bin/script')).each([
    ['sent to the first process alone', (first: number) => process.kill(first, 'SIGINT')],
    ['sent to both, as by Ctrl-C', (first: number) => process.kill(-first, 'SIGINT')],
  ])('on a terminal hears once of a signal that is %s', async (_, interrupt) => {
    const command = ['exec', process.execPath, bin, 'serve', '--port', '0'].join(' ');
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env });
    let shown = '';
    await new Promise<void>((resolve) =>
      terminal.stdout.on('data', (data) => {
        shown += data;
        if (shown.includes(' at http')) resolve();
      }),
    );
    // By then it listens for signals, too.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [first] = childrenOf(terminal.pid!) as [number];
    const [second] = childrenOf(first) as [number];
    const over = new Promise((resolve) => terminal.on('exit', resolve));
    interrupt(first);
    // A second signal would be 130.
    expect(await over).toBe(0);
    expect(await isOver(second)).toBe(true);
  });

  it('ends when the first process is killed', async () => {
    const { first, second, over } = await started();
    first.kill('SIGKILL');
    await over;
    expect(await isOver(second)).toBe(true);
  });
});
