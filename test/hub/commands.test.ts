import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import DatasetPull from '../../commands/dataset/pull.js';
import DatasetShow from '../../commands/dataset/show.js';
import ModelInspect from '../../commands/model/inspect.js';
import ModelList from '../../commands/model/list.js';
import ModelPull from '../../commands/model/pull.js';
import ModelRemove from '../../commands/model/rm.js';
import { loadModel } from '../../src/engine/load-model.js';
import { expectRefused, runCommand } from '../commands/run.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { COMMIT, type FakeHub, hashOf, refuse, startHub } from './fake-hub.js';
import { miniatureFiles, noise, useHub } from './files.js';

async function json(...[command, argv]: Parameters<typeof runCommand>) {
  const { code, stdout } = await runCommand(command, [...argv, '--json']);
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout);
}

let hub: FakeHub;
let cache: string;
beforeEach(async () => {
  hub = await startHub(miniatureFiles());
  cache = useHub(hub);
  // Compiled models of these tests alone.
  vi.stubEnv('XDG_CACHE_HOME', temporaryDirectory());
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('sspec model pull', () => {
  it('says where the model is, and shows progress on stderr', async () => {
    const { code, stdout, stderr } = await runCommand(ModelPull, ['org/name']);
    expect(code).toBe(0);
    const snapshot = join(cache, 'models--org--name/snapshots', COMMIT);
    expect(stdout).toMatch(/^org\/name is here \(2 files, \d+\.\d KiB\): /);
    expect(stdout.trim().endsWith(snapshot)).toBe(true);
    expect(stderr).toMatch(/Downloading org\/name (\d+\.\d) KiB\/\1 KiB, took/);
    expect(await json(ModelPull, ['org/name'])).toMatchObject({
      ...{ model: 'org/name', commit: COMMIT, path: snapshot, received_bytes: 0 },
      files: [{ path: 'config.json' }, { path: 'model.safetensors' }],
    });
    expect((await runCommand(ModelPull, ['org/name'])).stdout).toContain('all of it here already');
  });

  it('tells what it waits for', async () => {
    let refused = false;
    hub.intercept = (path, response) => {
      if (refused || !path.includes('/resolve/')) return false;
      refused = true;
      response.setHeader('Retry-After', '0');
      refuse(response, 429);
      return true;
    };
    const { code, stderr } = await runCommand(ModelPull, ['org/name']);
    expect(code).toBe(0);
    if (!process.stderr.isTTY)
      expect(stderr).toMatch(/^Downloading org\/name: .* too many requests, waiting 0 s$/m);
  });

  it('takes --file, and refuses what is no Hub id and what is offline', async () => {
    const gguf = { content: noise(500), lfs: true };
    hub.files.set('a.gguf', gguf);
    const { path, model } = await json(ModelPull, ['org/name', '--file', 'a.gguf']);
    expect(model).toBe('org/name/a.gguf');
    expect(path).toMatch(/a\.gguf$/);
    expectRefused(await runCommand(ModelPull, ['org/name', '--file', '../a.gguf']), /no Hub id/);
    expectRefused(await runCommand(ModelPull, ['demo']), /"demo" is no Hub id: give org\/name/);
    const offline = await runCommand(ModelPull, ['org/name', '--offline']);
    expectRefused(offline, /which --offline \(HF_HUB_OFFLINE\) forbids/);
    delete process.env.HF_HUB_OFFLINE;
  });

  it('happens where a model is used first', async () => {
    const document = await json(ModelInspect, ['org/name']);
    expect(document).toMatchObject({ model: 'org/name', layers: 2 });
    expectRefused(
      await runCommand(ModelInspect, ['org/none']),
      /neither a folder here nor a model/,
    );
  });
});

describe('sspec model rm', () => {
  const load = async (ref: string, precision: 'fp32' | 'int8' = 'int8') =>
    (await loadModel(ref, { precision })).close();
  const compiled = () => readdirSync(join(process.env.XDG_CACHE_HOME ?? '', 'sspec/models'));

  it('removes compiled copies by the names that the list has', async () => {
    await load('org/name');
    await load('org/name@main', 'fp32');
    await load(join(cache, 'models--org--name/snapshots', COMMIT), 'fp32');
    const { compiled: listed } = await json(ModelList, []);
    expect(listed).toHaveLength(2);
    expect(listed[1]).toMatchObject({ references: ['org/name'], precision: 'int8' });
    expect(listed[0].references).toHaveLength(2);
    // The snapshot's path leaves no room for a table, and is whole.
    const { stdout } = await runCommand(ModelList, []);
    expect(stdout).toMatch(/^model +org\/name\nprecision +int8\ncompiled +\d{4}-/m);
    expect(stdout).toContain(listed[0].references[1]);

    const module = await import('../../src/cli/confirm.js');
    if (!module.canAsk())
      expectRefused(
        await runCommand(ModelRemove, ['org/name']),
        /no terminal to ask on: give --yes/,
      );
    vi.spyOn(module, 'canAsk').mockReturnValue(true);
    const asked = vi.spyOn(module, 'confirm').mockResolvedValue(false);
    expect((await runCommand(ModelRemove, ['org/name'])).stdout).toBe('Nothing was removed.\n');
    expect(asked.mock.calls[0][0]).toMatch(
      /^Remove 2 compiled copies of org\/name, which are also those of \/.*\(\d.* [KM]iB\)\?$/,
    );
    asked.mockResolvedValue(true);
    const document = await json(ModelRemove, ['org/name']);
    expect(document).toMatchObject({ model: 'org/name', removed_download: false });
    expect(document.removed).toHaveLength(2);
    expect(compiled().filter((name) => !name.endsWith('.hash'))).toEqual([]);
    expect(existsSync(join(cache, 'models--org--name'))).toBe(true);
    expectRefused(
      await runCommand(ModelRemove, ['org/name', '--yes']),
      /no compiled copy of "org\/name": sspec model list/,
    );
  });

  it('removes the download with --download, but not what another revision has', async () => {
    await json(ModelPull, ['org/name']);
    const repository = join(cache, 'models--org--name');
    const other = join(repository, 'snapshots', 'f'.repeat(40));
    const config = hashOf(hub.files.get('config.json')!);
    mkdirSync(other);
    symlinkSync(join('../../blobs', config), join(other, 'config.json'));
    writeFileSync(join(repository, 'refs/old'), 'f'.repeat(40));
    const { removed_download, freed_bytes } = await json(ModelRemove, [
      ...['org/name', '--download', '--yes'],
    ]);
    expect(removed_download).toBe(true);
    expect(freed_bytes).toBe(hub.files.get('model.safetensors')?.content.length);
    expect(readdirSync(join(repository, 'blobs'))).toEqual([config]);
    expect(readdirSync(join(repository, 'snapshots'))).toEqual(['f'.repeat(40)]);
    expect(readdirSync(join(repository, 'refs'))).toEqual(['old']);
    await json(ModelRemove, ['org/name@old', '--download', '--yes']);
    expect(existsSync(repository)).toBe(false);
    const again = await runCommand(ModelRemove, ['org/name', '--download', '--yes']);
    expectRefused(again, /no compiled copy of "org\/name" and no download/);
    expectRefused(
      await runCommand(ModelRemove, ['demo', '--download', '--yes']),
      /"demo" was not downloaded by sspec: leave --download out/,
    );
  });

  it('of one GGUF file leaves the others', async () => {
    hub.files.set('a.gguf', { content: noise(500), lfs: true });
    hub.files.set('b.gguf', { content: noise(600), lfs: true });
    await json(ModelPull, ['org/name/a.gguf']);
    await json(ModelPull, ['org/name/b.gguf']);
    await json(ModelRemove, ['org/name/a.gguf', '--download', '--yes']);
    const repository = join(cache, 'models--org--name');
    expect(readdirSync(join(repository, 'snapshots', COMMIT))).toEqual(['b.gguf']);
    expect(readdirSync(join(repository, 'blobs'))).toHaveLength(1);
    expect(readdirSync(join(repository, 'refs'))).toEqual(['main']);
  });
});

describe('sspec dataset pull', () => {
  it('makes a benchmark a dataset by its name', async () => {
    const rows = [
      { task_id: 'Python/0', prompt: 'def a():\n', canonical_solution: '  pass\n', test: '' },
      { task_id: 'Python/1', prompt: 'def b():\n', canonical_solution: '  pass\n', test: '' },
    ];
    const datasets = await startHub(
      {
        'data/python/data/humanevalpack.jsonl': {
          content: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')),
        },
      },
      'datasets',
      'bigcode/humanevalpack',
    );
    vi.stubEnv('HF_ENDPOINT', datasets.url);
    expectRefused(
      await runCommand(DatasetShow, ['humaneval']),
      /"humaneval" is not downloaded yet: sspec dataset pull humaneval\./,
    );
    expect(await json(DatasetPull, ['humaneval'])).toMatchObject({ name: 'humaneval', prompts: 2 });
    const { name, shown } = await json(DatasetShow, ['humaneval']);
    expect(name).toBe('humaneval');
    expect(shown[0]).toMatchObject({ id: 'Python/0', dataset: 'humaneval', prompt: 'def a():\n' });
    expect(existsSync(join(cache, 'datasets--bigcode--humanevalpack/refs/main'))).toBe(true);
  });

  it('says of others why they cannot be had', async () => {
    const parquet = await runCommand(DatasetPull, ['gsm8k']);
    expectRefused(parquet, /the Hub has it as Parquet alone \(openai\/gsm8k\), which is not read/);
    expectRefused(
      await runCommand(DatasetShow, ['mbpp']),
      /"mbpp" cannot be downloaded: .*Parquet/,
    );
    expectRefused(await runCommand(DatasetPull, ['x']), /can be downloaded: humaneval, mt-bench\./);
  });
});
