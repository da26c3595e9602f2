import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { canAsk, confirm } from '../../src/cli/confirm.js';
import { InterruptedError } from '../../src/cli/failure.js';

/** A terminal on which somebody types. */
function terminal() {
  const input = new PassThrough();
  const output = new PassThrough();
  return { input, output, shown: () => String(output.read() ?? '') };
}

async function answered(typed: string): Promise<boolean> {
  const { input, output } = terminal();
  const answer = confirm('Sure?', { input, output });
  input.write(typed);
  return answer;
}

describe('a question', () => {
  it('is affirmed by y and yes alone', async () => {
    for (const yes of ['y\r', 'YES\r', ' y \r']) expect(await answered(yes), yes).toBe(true);
    for (const no of ['\r', 'n\r', 'yeah\r', 'no y\r']) expect(await answered(no), no).toBe(false);
  });

  it('is shown with what may be answered', async () => {
    const { input, output, shown } = terminal();
    const answer = confirm('Sure?', { input, output });
    input.write('y\r');
    await answer;
    expect(shown()).toContain('Sure? [y/N] ');
  });

  it('is a no where nobody answers, and ends with Ctrl-C', async () => {
    expect(await answered('\u0004')).toBe(false);
    await expect(answered('\u0003')).rejects.toThrow(InterruptedError);
    const { input, output } = terminal();
    const answer = confirm('Sure?', { input, output });
    input.end();
    expect(await answer).toBe(false);
  });

  it('is asked on a terminal alone', () => {
    const { input, output } = terminal();
    const tty = { isTTY: true };
    expect(canAsk({ input: Object.assign(input, tty), output })).toBe(false);
    expect(canAsk({ input, output: Object.assign(output, tty) })).toBe(true);
  });
});
