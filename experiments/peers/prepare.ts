/**
 * Installs what experiments/peers.ts measures sspec beside, into a folder and into experiments/peers/node_modules, and makes the
 * models' files there. Needs Python 3.11 or later, git, some 12 GB, and the package registries; what fails is told, and the peers
 * that need it are left out of the comparison. Steps that were done are not done again.
 *
 *     node --import ./test/register-typescript.mjs experiments/peers/prepare.ts --model FOLDER --prepared FOLDER
 *
 * FOLDER of --model holds one GGUF file, such as smollm2-135m-instruct.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exitCodeOf } from '../../src/cli/main.js';
import { InputError } from '../../src/errors.js';
import { parseFlags } from '../lib/flags.js';

const OWN = join('experiments', 'peers');
const AUTHORS = 'https://github.com/dilab-zju/self-speculative-decoding';

/** A command whose result is a folder. */
interface Step {
  readonly what: string;
  readonly makes: string;
  readonly run: (into: string) => readonly string[];
  readonly cwd?: string;
}

async function prepare(argv: string[]): Promise<void> {
  const { model, prepared: given } = parseFlags(argv, {}, { model: '', prepared: '' });
  if (model === '' || given === '') throw new InputError('Give --model and --prepared.');
  const prepared = resolve(given);
  const weights = readdirSync(model).filter((name) => name.endsWith('.gguf'));
  if (weights.length !== 1)
    throw new InputError(`${model}: there must be one GGUF file, not ${weights.length}.`);
  mkdirSync(prepared, { recursive: true });
  const pip = [join(prepared, 'venv', 'bin', 'python'), '-m', 'pip', 'install', '-q'];
  const failed = [
    {
      what: 'node-llama-cpp and transformers.js',
      makes: join(OWN, 'node_modules'),
      run: () => ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      cwd: OWN,
    },
    {
      what: 'a virtual environment of Python',
      makes: join(prepared, 'venv'),
      run: (into: string) => ['python3', '-m', 'venv', into],
    },
    {
      what: 'torch, transformers and what converts models (some 6 GB)',
      makes: join(prepared, 'installed'),
      run: () => [...pip, '-r', join(OWN, 'requirements.txt')],
    },
    {
      what: "the libraries of the authors' code",
      makes: join(prepared, 'reference-packages'),
      run: (into: string) => [
        ...pip,
        ...['--target', into, '-r', join(OWN, 'requirements-reference.txt')],
      ],
    },
    {
      what: `the authors' code, ${AUTHORS} (or put a copy of it there)`,
      makes: join(prepared, 'reference'),
      run: (into: string) => ['git', 'clone', '--depth', '1', AUTHORS, into],
    },
    {
      what: "the models' files",
      makes: join(prepared, 'onnx'),
      run: () => [pip[0]!, join(OWN, 'convert.py'), join(model, weights[0]!), prepared],
    },
  ].filter((step) => !done(step));
  if (failed.length > 0) throw new Error(`Without ${failed.map(({ what }) => what).join('; ')}.`);
  process.stderr.write('All is prepared.\n');
}

/** @returns whether what the step makes is there at its end. */
function done({ what, makes, run, cwd }: Step): boolean {
  if (existsSync(makes)) return true;
  process.stderr.write(`Installing or making ${what}\n`);
  const unfinished = `${makes}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const [file, ...args] = run(unfinished);
  const { status } = spawnSync(file!, args, { stdio: ['ignore', 2, 2], ...(cwd && { cwd }) });
  if (status !== 0) {
    process.stderr.write(`That failed: ${what}\n`);
    return false;
  }
  if (existsSync(unfinished)) renameSync(unfinished, makes);
  else mkdirSync(makes, { recursive: true });
  return true;
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => prepare(argv));
