import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import DatasetShow from '../../commands/dataset/show.js';
import Generate from '../../commands/generate.js';
import StudyList from '../../commands/study/list.js';
import { readConfigFile } from '../../src/cli/config-file.js';
import { defaultFlags, withSources } from '../../src/cli/defaults.js';
import { expectRefused, runCommand } from '../commands/run.js';
import { temporaryDirectory } from '../helpers/temporary.js';

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function write(name: string, content: string | object): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const FLAGS = ['model', 'precision', 'profile', 'top-k', 'offline', 'seed', 'storage'];
const argvOf = (argv: string[] = [], at = folder) => defaultFlags(FLAGS, argv, at).argv;

describe('the configuration file', () => {
  it.each([
    ['sspec.config.json', '{"model": "org/name", "top_k": 40}'],
    ['sspec.config.yaml', 'model: org/name # why\ntop_k: 40\n'],
    ['.sspecrc', 'model: org/name\ntop_k: 40\n'],
    ['.sspecrc', '{"model": "org/name", "top_k": 40}'],
    ['.sspecrc.yml', 'model: org/name\ntop_k: 40\n'],
  ])('may be %s', (name, content) => {
    write(name, content);
    expect(argvOf()).toEqual(['--model', 'org/name', '--top-k', '40']);
  });

  it.each(['package.json', '.git'])(
    'is that of the folder, else of its project (with %s), of the home folder, of the user',
    (mark) => {
      vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'own'));
      vi.stubEnv('HOME', join(folder, 'home'));
      const at = join(folder, 'work', 'src', 'deep');
      mkdirSync(at, { recursive: true });
      write(`work/${mark}`, '{}');
      expect(argvOf([], at)).toEqual([]);
      write('own/sspec/config.yaml', 'seed: 1');
      expect(argvOf([], at)).toEqual(['--seed', '1']);
      write('home/.sspecrc', 'seed: 2');
      expect(argvOf([], at)).toEqual(['--seed', '2']);
      write('work/.sspecrc', 'seed: 3');
      expect(argvOf([], at)).toEqual(['--seed', '3']);
      write('work/src/deep/.sspecrc', 'seed: 4');
      expect(argvOf([], at)).toEqual(['--seed', '4']);
    },
  );

  it('is none of another folder above', () => {
    vi.stubEnv('HOME', join(folder, 'home'));
    mkdirSync(join(folder, 'work', 'src'), { recursive: true });
    for (const place of ['', 'work/']) write(`${place}.sspecrc`, 'seed: 1');
    expect(argvOf([], join(folder, 'work', 'src'))).toEqual([]);
    write('work/src/package.json', {});
    expect(argvOf([], join(folder, 'work', 'src'))).toEqual([]);
  });

  it('names files relative to itself', () => {
    const at = join(folder, 'work');
    mkdirSync(at);
    write('package.json', {});
    write('.sspecrc', { model: './m', profile: 'p.json', storage: 'postgres://host/db' });
    expect(readConfigFile(at)!.values).toEqual({
      model: join(folder, 'm'),
      profile: join(folder, 'p.json'),
      storage: 'postgres://host/db',
    });
    expect(readConfigFile(folder)!.values).toMatchObject({ model: './m', profile: './p.json' });
  });

  it('is nothing that is run', () => {
    write('sspec.config.js', 'throw new Error("run")');
    write('.sspecrc.cjs', 'throw new Error("run")');
    expect(argvOf()).toEqual([]);
  });

  it.each([
    ['sspec.config.json', '{"modle": "x"}', /"modle" is nothing .* \(did you mean "model"\?\)/],
    ['sspec.config.json', '{"top-k": 4}', /"top-k" is nothing .* \(did you mean "top_k"\?\)/],
    ['sspec.config.json', '{"colour": 4}', /"colour" is nothing .*; it may have model, precision/],
    ['sspec.config.json', '{"seed": "x"}', /sspec\.config\.json: field "seed" cannot be used/],
    ['sspec.config.json', '{"precision": "int2"}', /field "precision" .*"int8"/],
    ['sspec.config.json', '[1]', /sspec\.config\.json: its content cannot be used/],
    ['sspec.config.json', '{"seed": 1', /sspec\.config\.json is not valid JSON/],
    ['.sspecrc', 'seed: [', /\.sspecrc is not valid YAML/],
    ['.sspecrc', `x: ${'y'.repeat(1 << 17)}`, /a configuration may have 65536/],
  ])('%s with %.20s is refused', (name, content, message) => {
    write(name, content);
    expect(() => argvOf()).toThrow(message);
  });

  it('may be empty', () => {
    write('.sspecrc', '');
    expect(argvOf()).toEqual([]);
  });
});

describe('what holds', () => {
  it('is the flag, then the environment, then the file', () => {
    write('.sspecrc', { seed: 1, top_k: 2, precision: 'fp32' });
    vi.stubEnv('SSPEC_SEED', '7');
    vi.stubEnv('SSPEC_PRECISION', '');
    expect(argvOf(['--top-k=9'])).toEqual(['--precision', 'fp32', '--seed', '7']);
    // What stands after -- is no flag.
    expect(argvOf(['--', '--top-k'])).toContain('--top-k');
    const { sources } = defaultFlags(FLAGS, [], folder);
    expect(Object.fromEntries(sources)).toMatchObject({
      precision: { source: '.sspecrc', value: 'fp32' },
      seed: { source: 'SSPEC_SEED', value: '7' },
      'top-k': { source: '.sspecrc', value: '2' },
    });
  });

  it('is of a profile and its model only what was said last of the two', () => {
    write('.sspecrc', { model: 'org/a', precision: 'fp32', profile: '/p.json' });
    const all = ['--model', 'org/a', '--precision', 'fp32', '--profile', '/p.json'];
    expect(argvOf()).toEqual(all);
    expect(argvOf(['--profile', '/q.json'])).toEqual([]);
    expect(argvOf(['--model', 'org/b'])).toEqual(['--precision', 'fp32']);
    vi.stubEnv('SSPEC_PROFILE', '/r.json');
    expect(argvOf()).toEqual(['--profile', '/r.json']);
    // A command without profiles has the model.
    expect(defaultFlags(['model'], [], folder).argv).toEqual(['--model', 'org/a']);
  });

  it('may be a flag that is on or off', () => {
    vi.stubEnv('SSPEC_OFFLINE', '1');
    expect(argvOf()).toEqual(['--offline']);
    vi.stubEnv('SSPEC_OFFLINE', 'false');
    expect(argvOf()).toEqual([]);
    vi.stubEnv('SSPEC_OFFLINE', 'maybe');
    expect(() => argvOf()).toThrow('SSPEC_OFFLINE is "maybe": give 1 or 0.');
  });
});

describe('a command', () => {
  it('decodes with the defaults, and names the whole command', async () => {
    write('.sspecrc', { max_new_tokens: 3, precision: 'fp32' });
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const { code, stdout } = await runCommand(Generate, ['--prompt', 'one day', '--json', '-q']);
    expect(code, stdout).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.token_ids).toHaveLength(3);
    expect(document.precision).toBe('fp32');
  });

  it('says where a value comes from that nobody typed', async () => {
    vi.stubEnv('SSPEC_THREADS', 'many');
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x']),
      /--threads is "many": give a whole number from 1 to 1024 \(--threads is from SSPEC_THREADS\)/,
    );
    vi.stubEnv('SSPEC_THREADS', '');
    vi.stubEnv('SSPEC_TEMPERATURE', '-1');
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x']),
      /--temperature .*\(--temperature is from SSPEC_TEMPERATURE\)/,
    );
    vi.stubEnv('SSPEC_TEMPERATURE', '');
    vi.stubEnv('SSPEC_METHOD', 'magic');
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x']),
      /--method=magic .*\(--method is from SSPEC_METHOD\)/,
    );
  });

  it('says so of a model, a profile and studies too, which messages name by their files', async () => {
    const model = join(folder, 'model');
    mkdirSync(model);
    write('model/config.json', '{}');
    vi.stubEnv('SSPEC_MODEL', model);
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x']),
      /config\.json.*\(--model is from SSPEC_MODEL\)\.$/m,
    );
    expectRefused(await runCommand(DatasetShow, ['code']), /\(--model is from SSPEC_MODEL\)\.$/m);
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x', '--model', 'no/such', '--offline']),
      /no\/such"(?!.*SSPEC)/,
    );
    vi.stubEnv('SSPEC_MODEL', '');
    const profile = write('p.json', '{}');
    write('.sspecrc', { profile });
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    expectRefused(
      await runCommand(Generate, ['--prompt', 'x']),
      /p\.json.*\(--profile is from \.sspecrc\)\.$/m,
    );
    vi.stubEnv('SSPEC_STORAGE', write('file', 'no folder'));
    expectRefused(await runCommand(StudyList, []), /\(--storage is from SSPEC_STORAGE\)\.$/m);
    vi.stubEnv('SSPEC_STORAGE', 'mysql://u:secret@h/d');
    expectRefused(await runCommand(StudyList, []), /\(--storage is from SSPEC_STORAGE\)\.$/m);
    vi.stubEnv('SSPEC_STORAGE', 'postgres://u:secret@127.0.0.1:1/d');
    expectRefused(
      await runCommand(StudyList, []),
      /postgres:\/\/u@127\.0\.0\.1:1\/d.*\(--storage is from SSPEC_STORAGE\)\.$/m,
    );
  });
});

it('a message without such a flag stays as it is', () => {
  const sources = new Map([['model', { source: 'SSPEC_MODEL', value: 'demo' }]]);
  const told = (message: string) => withSources({ message }, sources);
  expect(told('--model-x is wrong.')).toBe('--model-x is wrong.');
  expect(told('The demo is wrong.')).toBe('The demo is wrong.');
  expect(told('--model is wrong.')).toBe('--model is wrong (--model is from SSPEC_MODEL).');
});
