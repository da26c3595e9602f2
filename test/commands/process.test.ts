import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isBuilt, root } from '../helpers/built.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/** Runs bin/run.js; `onOutput` is called at the first output and may act on the process. */
async function sspec(
  argv: string[],
  {
    input = '',
    slowly = false,
    env = {},
    onOutput = () => {},
  }: {
    input?: string;
    /** `input` comes after a while. */
    slowly?: boolean;
    env?: NodeJS.ProcessEnv;
    onOutput?: (child: ReturnType<typeof spawn>) => void;
  } = {},
) {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...argv], {
    // One process, which is what signals are sent to (bin/large-pages.js).
    env: { GLIBC_TUNABLES: '', ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.once('data', () => onOutput(child));
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  if (slowly) await new Promise((resolve) => setTimeout(resolve, 1500));
  child.stdin.end(input);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('close', (...ended) => resolve(ended)),
  );
  return { code, signal, stdout, stderr };
}

/** A generation that takes minutes unless it is stopped. */
function endless() {
  const { directory } = writeMiniature(temporaryDirectory(), { contextLength: 60_000 });
  return ['generate', '--model', directory, '--prompt-ids', '1', '--max-new-tokens', '50000'];
}

// These start the compiled program: "npm run build" first, or they would test what was built earlier.
describe.skipIf(!isBuilt)(
  'the sspec program (skipped unless dist is newer than the sources)',
  () => {
    it('says in a few lines what to start with', async () => {
      const { code, stdout } = await sspec([]);
      expect(code).toBe(0);
      expect(stdout).toContain('sspec generate --prompt');
      expect(stdout.split('\n').length).toBeLessThan(16);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    });

    it('waits for a prompt that a slow program pipes in', async () => {
      const argv = ['generate', '--max-new-tokens', '2', '--json'];
      const { code, stdout } = await sspec(argv, { input: 'one day', slowly: true });
      expect(code).toBe(0);
      expect(JSON.parse(stdout).token_ids).toHaveLength(2);
    });

    it('has a summary for every command', async () => {
      const { code, stdout } = await sspec(['--help']);
      expect(code).toBe(0);
      for (const name of ['generate', 'model', 'profile', 'study', 'dataset', 'completion'])
        expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    });

    it('knows -h and -v everywhere', async () => {
      const help = await sspec(['study', 'list', '-h']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('sspec study list');
      expect((await sspec(['-h'])).stdout).toContain('generate');
      for (const argv of [['-v'], ['--version'], ['eval', '-v']]) {
        const { code, stdout } = await sspec(argv);
        expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sspec\/\d/) });
      }
    });

    it('refuses an unknown command', async () => {
      const { code, stdout, stderr } = await sspec(['genrate']);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(
        'Error: There is no command "genrate" (did you mean "generate"?); see sspec --help.\n',
      );
      expect((await sspec(['frobnicate'])).stderr).toBe(
        'Error: There is no command "frobnicate"; see sspec --help.\n',
      );
      const document = JSON.parse((await sspec(['model', 'lst', '--json'])).stdout);
      expect(document.error).toEqual({
        code: 'usage',
        message: 'There is no command "model lst" (did you mean "model list"?); see sspec --help.',
      });
    });

    it('takes a prompt from stdin and keeps stderr clean', async () => {
      const argv = ['generate', '--max-new-tokens', '8', '--show-draft', '--skip-mlp', '3', '-q'];
      const input = 'Once upon a time\n';
      const coloured = await sspec(argv, { input, env: { FORCE_COLOR: '1', NO_COLOR: '' } });
      // Node 22 and later warn of the two together on stderr.
      const both = { FORCE_COLOR: '1', NO_COLOR: '1', NODE_NO_WARNINGS: '1' };
      const plain = await sspec(argv, { input, env: both });
      expect(plain).toMatchObject({ code: 0, stderr: '' });
      expect(plain.stdout).not.toContain('\u001b');
      expect(coloured.stdout).toContain('\u001b[3');
      expect((await sspec(argv, { input: '' })).stderr).toBe(
        'Error: The prompt is empty; give some text.\n',
      );
    });

    it('leaves nothing but its own cache: the runtime keeps no identifier of the machine, and tells nobody', async () => {
      const { directory } = writeMiniature(temporaryDirectory());
      const home = temporaryDirectory();
      // On a CI machine the runtime keeps still by itself.
      const env = { HOME: home, XDG_CACHE_HOME: join(home, 'cache'), CI: undefined };
      const argv = ['generate', '--model', directory, '--prompt-ids', '1', '--max-new-tokens', '2'];
      expect((await sspec(argv, { env })).code).toBe(0);
      expect(readdirSync(home)).toEqual(['cache']);
      expect(readdirSync(join(home, 'cache'))).toEqual(['sspec']);
    });

    it('ends with 130 when it is interrupted', async () => {
      const { code, stdout, stderr } = await sspec([...endless(), '-q'], {
        onOutput: (child) => child.kill('SIGINT'),
      });
      expect({ code, stderr }).toEqual({ code: 130, stderr: 'Error: Interrupted.\n' });
      expect(stdout).toMatch(/^[\d,]+\n$/);
    });

    it('ends without a word when nobody reads any more', async () => {
      const { code, stderr } = await sspec([...endless(), '-q'], {
        onOutput: (child) => child.stdout?.destroy(),
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    });

    it('shows a stack only with DEBUG', async () => {
      const argv = ['model', 'inspect', 'no-such'];
      expect((await sspec(argv)).stderr).not.toContain('    at ');
      expect((await sspec(argv, { env: { DEBUG: 'sspec' } })).stderr).toContain('    at ');
    });

    it.skipIf(process.platform === 'win32')(
      'prints a completion by which bash completes commands, values, lists and files',
      async () => {
        const { stdout: script } = await sspec(['completion', 'bash']);
        const folder = temporaryDirectory();
        writeFileSync(join(folder, 'my prompts.jsonl'), '');
        // compopt works on a terminal alone.
        const typed = `compopt() { :; }
${script}
complete_words() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sspec; printf '%s\n' "\${COMPREPLY[*]}"
}
cd "$2"
complete_words "$1" mod
complete_words "$1" eval --precision = in
complete_words "$1" eval --methods skip,lo
complete_words "$1" eval --dataset my
complete_words "$1" eval --limit ''`;
        const { stdout } = spawnSync(
          'bash',
          ['-c', typed, 'bash', join(root, 'bin/run.js'), folder],
          { encoding: 'utf8' },
        );
        expect(stdout.split('\n')).toEqual([
          ...['model', 'int8 int4', 'skip,lookup', 'my prompts.jsonl', '', ''],
        ]);
      },
      60_000,
    );
  },
);
