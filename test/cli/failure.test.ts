import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { Errors } from '@oclif/core';
import { describe, expect, it, vi } from 'vitest';
import Eval from '../../commands/eval.js';
import StudyList from '../../commands/study/list.js';
import { closest, distance } from '../../src/cli/did-you-mean.js';
import { describeFailure, InterruptedError } from '../../src/cli/failure.js';
import { exitCodeOf } from '../../src/cli/main.js';
import { expectRefused, runCommand } from '../commands/run.js';
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
      .filter((text) => text.includes('exitCodeOf(argv, '));
    expect(scripts.length).toBeGreaterThan(2);
    for (const text of scripts) {
      const [comment] = text.split('*/');
      expect(comment).toMatch(/experiments.\S+\.ts.*--/s);
      expect(text).toMatch(/^process\.exitCode = await exitCodeOf\(argv, /m);
      // Nothing is parsed outside a function, where no one would catch what it throws.
      expect(text).not.toMatch(/^(?:const|let) .*parse(?:Args|Flags)\(/m);
    }
  });
});

describe('what is mistyped', () => {
  it.each([
    ['eval', 'eval', 0],
    ['evla', 'eval', 1],
    ['genrate', 'generate', 1],
    ['', 'abc', 3],
    ['ca', 'abc', 3],
  ])('%s is as far from %s as letters must be touched: %i', (a, b, letters) => {
    expect(distance(a, b)).toBe(letters);
    expect(distance(b, a)).toBe(letters);
  });

  it('means the nearest word, if one is near', () => {
    expect(closest('lmit', ['list', 'limit', 'lint'])).toBe('limit');
    expect(closest('frobnicate', ['list', 'limit'])).toBeUndefined();
  });

  it('is told with the flag that was meant, the = and its value left out', async () => {
    expectRefused(
      await runCommand(Eval, ['--temprature=0.5']),
      /^Error: Unknown flag: --temprature \(did you mean --temperature\?\); see --help\.\n$/,
    );
    expectRefused(await runCommand(Eval, ['--no-warmpu']), /did you mean --no-warmup\?/);
    expectRefused(
      await runCommand(StudyList, ['--jsn', '--frobnicate', '-x']),
      /Unknown flags: --jsn \(did you mean --json\?\), --frobnicate, -x; see --help/,
    );
  });

  it('is a command of those that there are', () => {
    const error = new Errors.CLIError('command modle:list not found');
    expect(describeFailure(error, ['model list', 'eval']).message).toBe(
      'There is no command "modle list" (did you mean "model list"?); see sspec --help.',
    );
    const flag = new Errors.CLIError('command --model not found');
    expect(describeFailure(flag, ['model', 'eval']).message).toBe(
      'There is no command before --model: flags come after it (sspec COMMAND --model); see sspec --help.',
    );
  });
});

describe('an interrupted search', () => {
  const resume = (...argv: string[]) => describeFailure(new InterruptedError(), [], argv).resume;

  it('says how to go on, with the flags that it had', () => {
    expect(resume('search', '--dataset', 'my prompts.jsonl')).toBe(
      "sspec search --dataset 'my prompts.jsonl' --resume",
    );
    expect(resume('search', '--resume', '-q')).toBe('sspec search --resume -q');
  });

  it('has its command on a line of its own, and as a field with --json', async () => {
    const written = { stdout: '', stderr: '' };
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      }),
    );
    const interrupted = async () => {
      throw new InterruptedError();
    };
    try {
      expect(await exitCodeOf(['search', '--trials', '9'], interrupted)).toBe(130);
      expect(await exitCodeOf(['search', '--json'], interrupted)).toBe(130);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(stripVTControlCharacters(written.stderr)).toBe(
      'Error: Interrupted; --resume goes on with what was finished.\n  sspec search --trials 9 --resume\n',
    );
    expect(JSON.parse(written.stdout).error).toMatchObject({
      code: 'interrupted',
      resume: 'sspec search --json --resume',
    });
  });

  it('is one of the commands that keep what they make and go on with it', () => {
    expect(resume('eval', '--output-dir', 'out', '--force', '--limit', '3')).toBe(
      'sspec eval --output-dir out --limit 3 --resume',
    );
    expect(resume('eval', '--limit', '3')).toBeUndefined();
    expect(resume('generate', '--prompt', 'a')).toBeUndefined();
    expect(resume('generate', '--dataset=x', '--output', 'y')).toBe(
      'sspec generate --dataset=x --output y --resume',
    );
    expect(resume()).toBeUndefined();
  });
});
