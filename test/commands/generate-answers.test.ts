import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Generate from '../../commands/generate.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { expectRefused, runCommand } from './run.js';

let output: string;
beforeEach(() => {
  output = join(temporaryDirectory(), 'new', 'answers.jsonl');
});

const generate = (...argv: string[]) => runCommand(Generate, ['--max-new-tokens', '6', ...argv]);
const answer = (...argv: string[]) =>
  generate('--dataset', 'code', '--limit', '3', '--output', output, '-q', ...argv);
const lines = () => readFileSync(output, 'utf8').split('\n').slice(0, -1);
const rows = () => lines().map((line) => JSON.parse(line));

describe('sspec generate --dataset', () => {
  it('writes a line for each prompt, with the text that the prompt has by itself', async () => {
    const { code, stdout } = await answer('--method', 'lookup', '--json');
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ output, answers: 3, known: 0, new_tokens: 18 });
    expect(new Set(rows().map(({ id }) => id)).size).toBe(3);
    const [first] = rows();
    expect(first).toMatchObject({ dataset: 'code', turn: 1, method: 'lookup' });
    const file = join(temporaryDirectory(), 'one.txt');
    writeFileSync(file, 'one day, a little girl\n');
    output = join(temporaryDirectory(), 'one.jsonl');
    await generate('--dataset', file, '--output', output, '-q');
    const alone = await generate('--prompt', 'one day, a little girl', '--json');
    const { text, token_ids, prompt_tokens } = JSON.parse(alone.stdout);
    expect(rows()).toMatchObject([{ text, token_ids, prompt_tokens }]);
  });

  it('goes on with what is there, a torn line dropped, and ends as if it had not stopped', async () => {
    await answer();
    const whole = rows().map(({ id, text }) => [id, text]);
    const [first, second] = lines();
    writeFileSync(output, `${first}\n${second!.slice(0, 40)}`);
    const { code, stdout } = await answer('--resume');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `3 answers in ${output}, 1 of them from before.\n`,
    });
    expect(lines()[0]).toBe(first);
    expect(rows().map(({ id, text }) => [id, text])).toEqual(whole);
    expect(existsSync(`${output}.lock`)).toBe(false);
  });

  it('answers the turns of a conversation one after another', async () => {
    const file = join(temporaryDirectory(), 'talk.jsonl');
    const user = (content: string) => ({ role: 'user', content });
    writeFileSync(file, JSON.stringify({ messages: [user('one day'), user('and then')] }));
    await generate('--dataset', file, '--output', output, '-q');
    expect(rows().map(({ id, turn }) => [id.replace(/^.*?(\/|$)/, ''), turn])).toEqual([
      ['', 1],
      ['turn-2', 2],
    ]);
    const [first, second] = rows();
    expect(second.prompt_tokens).toBeGreaterThan(first.prompt_tokens + 6);
    // The second alone is missing: its prompt has the answer that is there.
    writeFileSync(output, `${lines()[0]}\n`);
    await generate('--dataset', file, '--output', output, '-q', '--resume');
    expect(rows()[1]).toMatchObject({ text: second.text, prompt_tokens: second.prompt_tokens });
  });

  it('keeps what was finished when it is interrupted', async () => {
    const many = ['--dataset', 'code', '--output', output, '--max-new-tokens', '200'];
    const running = runCommand(Generate, [...many, '-q', '--json']);
    await vi.waitUntil(() => existsSync(output) && lines().length > 0, {
      timeout: 60_000,
      interval: 20,
    });
    process.emit('SIGINT');
    expect((await running).code).toBe(130);
    expect(rows().length).toBeGreaterThan(0);
  });

  it('refuses a file that is there, of something else, or none', async () => {
    await answer();
    expectRefused(await answer(), /is there already: give --resume/);
    expectRefused(
      await answer('--resume', '--seed', '5'),
      /line 1: made with another seed \(0, now 5\)/,
    );
    appendFileSync(output, 'a note');
    expectRefused(await answer('--resume'), /its last line is no answer/);
    writeFileSync(output, '{"prompt": "x"}\n');
    expectRefused(await answer('--resume'), /line 1: field "id" cannot be used/);
    expectRefused(await generate('--dataset', 'code'), /--output/);
    expectRefused(await generate('--prompt', 'x', '--resume'), /--dataset/);
  });
});
