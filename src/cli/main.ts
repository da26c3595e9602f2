import { fileURLToPath } from 'node:url';
import { Config, flush, run } from '@oclif/core';
import { errorCode } from '../files.js';
import { describeFailure, EXIT } from './failure.js';
import { tell } from './tell.js';
import { WELCOME } from './welcome.js';

/**
 * The command line from its arguments to its exit code.
 * @param argv arguments without `node` and the script.
 * @param root a file or folder of the package, as oclif takes it.
 */
export async function main(argv: string[], root: string): Promise<number> {
  quietlyEndOnBrokenPipes();
  if (argv.length === 0) {
    process.stdout.write(WELCOME);
    return 0;
  }
  const work = async () => {
    // oclif asks for it in the first place alone.
    await run(asksForVersion(argv) ? ['--version'] : argv, root);
    await flush();
  };
  return exitCodeOf(argv, work, () => commandNames(root));
}

/** Arguments before `--`. */
function ownArguments(argv: readonly string[]): readonly string[] {
  return argv.slice(0, argv.indexOf('--') >>> 0);
}

function asksForVersion(argv: readonly string[]): boolean {
  return ownArguments(argv).some((argument) => argument === '-v' || argument === '--version');
}

/** What may be typed after `sspec`. */
async function commandNames(root: string): Promise<string[]> {
  const { commands, topics } = await Config.load(
    root.startsWith('file:') ? fileURLToPath(root) : root,
  );
  const names = [...commands.map(({ id }) => id), ...topics.map(({ name }) => name)];
  return names.map((name) => name.replaceAll(':', ' '));
}

/**
 * Runs a command; tells how it failed, if it does: a document on stdout with --json, else a sentence on stderr.
 * @param commands the names of those that there are; asked for where one is mistyped.
 */
export async function exitCodeOf(
  argv: readonly string[],
  work: () => Promise<unknown>,
  commands: () => Promise<readonly string[]> = async () => [],
): Promise<number> {
  try {
    await work();
    // Set by a command whose result stands but is not what was asked for (sspec eval --audit).
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (errorCode(error) === 'EEXIT') return 0; // oclif's way to end after --help
    const { message, code, exitCode, resume } = describeFailure(error, await commands(), argv);
    const isJson = ownArguments(argv).includes('--json');
    const document = { error: { message, code, ...(resume && { resume }) } };
    if (isJson) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    else tell('Error', message);
    // By itself and in one piece, to be copied.
    if (!isJson && resume !== undefined) process.stderr.write(`  ${resume}\n`);
    if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return exitCode;
  }
}

/**
 * `sspec ... | head` ends without a word when its reader goes away, with the exit code that stands by then. Work goes on when
 * only its progress has no reader any more.
 */
function quietlyEndOnBrokenPipes(): void {
  process.stderr.on('error', () => {});
  // Before oclif's own listener, which throws.
  process.stdout.prependListener('error', (error) => {
    if (errorCode(error) === 'EPIPE') process.exit();
    tell('Error', `Cannot write to stdout: ${error.message}`);
    process.exit(process.exitCode || EXIT.failed);
  });
}
