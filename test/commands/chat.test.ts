import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Chat from '../../commands/chat.js';
import Generate from '../../commands/generate.js';
import { loadDataset } from '../../src/datasets/load.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

afterEach(() => vi.restoreAllMocks());

/** Runs `sspec chat` with these lines piped in. */
function chat(lines: readonly string[], ...argv: string[]) {
  const input = Readable.from([lines.map((line) => `${line}\n`).join('')]);
  const stdin = vi.spyOn(process, 'stdin', 'get');
  stdin.mockReturnValue(Object.assign(input, { isTTY: false }) as unknown as typeof process.stdin);
  return runCommand(Chat, ['--max-new-tokens', '12', ...argv]);
}

async function textOf(prompt: string): Promise<string> {
  const argv = ['--prompt', prompt, '--max-new-tokens', '12', '--json'];
  return JSON.parse((await runCommand(Generate, argv)).stdout).text;
}

describe('sspec chat from a pipe', () => {
  it('answers line by line on stdout, as generate would with all that was said before', async () => {
    const { code, stdout, stderr } = await chat(['one day', '', '/stats', 'and then'], '-q');
    expect(code, stderr).toBe(0);
    const first = await textOf('one day');
    const second = await textOf(`one day${first.trimEnd()}\n\nand then`);
    expect(stdout).toBe(`${first}\n${second}\n`);
    expect(stderr).toMatch(/^figure +last answer +all$/m);
  });

  it('runs only what is new, whatever the method, and --json tells all', async () => {
    const lines = ['one day', 'and then', 'at last'];
    const plain = JSON.parse((await chat(lines, '--json')).stdout);
    const lookup = JSON.parse((await chat(lines, '--json', '--method', 'lookup')).stdout);
    expect(plain).toMatchObject({ model: 'demo', precision: 'int8', method: 'autoregressive' });
    const said = ({ turns }: typeof plain) =>
      turns.map(({ user, assistant }: Record<string, string>) => [user, assistant]);
    expect(said(lookup)).toEqual(said(plain));
    expect(said(plain).map(([user]: string[]) => user)).toEqual(lines);
    for (const { turns } of [plain, lookup]) {
      const [first, second, third] = turns;
      expect(first.cached_tokens).toBe(0);
      expect(second.cached_tokens).toBeGreaterThanOrEqual(first.prompt_tokens);
      expect(third.cached_tokens).toBeGreaterThanOrEqual(second.prompt_tokens);
      expect(first).toMatchObject({ finish_reason: 'length', stats: { draft_passes: 0 } });
    }
  });

  it('forgets, and writes messages that are a dataset', async () => {
    const file = join(temporaryDirectory(), 'talk.jsonl');
    const lines = ['one day', '/reset', '//slash', `/save ${file}`, '/quit', 'never said'];
    const { code, stdout, stderr } = await chat(lines, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).turns.map(({ user }: { user: string }) => user)).toEqual(['/slash']);
    const { messages } = JSON.parse(readFileSync(file, 'utf8'));
    expect(messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant']);
    expect(loadDataset(file).prompts[0]?.prompt).toContain('/slash');
    expectRefused(await chat(['x', `/save ${file}`], '--json', '-q').then(asRefusal), /already/);
  });

  it('refuses what it cannot do', async () => {
    expectRefused(await chat(['/stast'], '-q'), /no command \/stast \(did you mean \/stats\?\)/);
    expectRefused(await chat(['/system x'], '-q'), /no chat template/);
    expectRefused(await chat(['x'], '--system', 'x', '-q'), /no chat template/);
    expectRefused(await chat(['/save'], '-q'), /needs the name of a file/);
    expectRefused(await chat(['word '.repeat(1200)], '-q'), /context holds 1024/);
    const { directory } = writeMiniature(temporaryDirectory(), {});
    expectRefused(await chat(['x'], '--model', directory, '-q'), /no tokenizer\.json/);
  });
});

/** With --json the error is the document. */
function asRefusal({ code, stdout }: { code: number; stdout: string }) {
  const { message } = JSON.parse(stdout).error;
  return { code, stdout: '', stderr: `Error: ${message}\n` };
}
