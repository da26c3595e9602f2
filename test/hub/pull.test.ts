import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { listCachedModels } from '../../src/checkpoint/hub-cache.js';
import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { resolveModel } from '../../src/checkpoint/resolve.js';
import { loadModel } from '../../src/engine/load-model.js';
import type { PullOptions } from '../../src/hub/client.js';
import { pullModel } from '../../src/hub/pull.js';
import { COMMIT, type FakeFile, hashOf, startHub } from './fake-hub.js';
import { miniatureFiles, noise, useHub } from './files.js';
import { HASTE } from './haste.js';

const pull = (ref = 'org/name', options: PullOptions = {}) =>
  pullModel(parseHubReference(ref)!, { patience: HASTE, ...options });

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('pulling a model', () => {
  it('fills the cache as other tools do, with data alone', async () => {
    const model = miniatureFiles();
    const hub = await startHub({
      ...model,
      'tokenizer.json': { content: Buffer.from('{}') },
      'modeling_name.py': { content: Buffer.from('import os') },
      'pytorch_model.bin': { content: noise(5000), lfs: true },
      'onnx/model.onnx': { content: noise(5000), lfs: true },
    });
    const cache = useHub(hub);
    const told: [number, number][] = [];
    const pulled = await pull('org/name', { onProgress: (...now) => told.push(now) });
    const repository = join(cache, 'models--org--name');
    const snapshot = join(repository, 'snapshots', COMMIT);
    expect(pulled).toMatchObject({ commit: COMMIT, directory: snapshot, path: snapshot });
    expect(readFileSync(join(repository, 'refs/main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(snapshot).sort()).toEqual(
      ['config.json', 'model.safetensors', 'tokenizer.json'].sort(),
    );
    for (const [name, file] of Object.entries(model)) {
      expect(readlinkSync(join(snapshot, name))).toBe(join('../../blobs', hashOf(file)));
      expect(readFileSync(join(snapshot, name)).equals(file.content)).toBe(true);
    }
    // Nothing unfinished, no lock.
    expect(readdirSync(join(repository, 'blobs')).every((name) => /^[0-9a-f]+$/.test(name))).toBe(
      true,
    );
    expect(readdirSync(join(cache, '.locks/models--org--name'))).toEqual([]);
    const total = pulled.files.reduce((sum, { size }) => sum + size, 0);
    expect(told[0]).toEqual([0, total]);
    expect(told.at(-1)).toEqual([total, total]);
    expect(pulled.receivedBytes).toBe(total);
  });

  it('asks for no byte again', async () => {
    const hub = await startHub(miniatureFiles());
    useHub(hub);
    await pull();
    hub.asked.length = 0;
    expect((await pull()).receivedBytes).toBe(0);
    expect(hub.asked.filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
  });

  it('brings all shards that the index names, and no other weights', async () => {
    const files = miniatureFiles({ shards: 3 });
    const hub = await startHub({
      ...files,
      'consolidated.safetensors': { content: noise(100), lfs: true },
    });
    useHub(hub);
    const { path } = await pull();
    expect(readdirSync(path).sort()).toEqual(Object.keys(files).sort());
    const index = 'model.safetensors.index.json';
    hub.files.set(index, {
      content: Buffer.from(JSON.stringify({ weight_map: { a: '../../x.safetensors' } })),
    });
    await expect(pull()).rejects.toThrow(/index\.json names "\.\.\/\.\.\/x\.safetensors", which/);
  });

  it('takes a branch with slashes, and a commit', async () => {
    const hub = await startHub(miniatureFiles());
    const cache = useHub(hub);
    await pull(`org/name@${COMMIT}`);
    expect(existsSync(join(cache, 'models--org--name/refs'))).toBe(false);
    expect(await resolveModel(`org/name@${COMMIT}`)).toContain(COMMIT);
    hub.intercept = (path, response) => {
      if (path !== '/api/models/org/name/revision/refs/pr/1') return false;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ sha: COMMIT }));
      return true;
    };
    await pull('org/name@refs/pr/1');
    expect(await resolveModel('org/name@refs/pr/1')).toContain(COMMIT);
  });

  it('is what loadModel does with an id that is not here, and not where it is offline', async () => {
    const hub = await startHub(miniatureFiles({ vocabSize: 300 }));
    useHub(hub);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await expect(loadModel('org/name')).rejects.toThrow(
      /neither a folder nor in the Hugging Face cache .*sspec model pull org\/name/,
    );
    await expect(pull()).rejects.toThrow(/which --offline \(HF_HUB_OFFLINE\) forbids/);
    expect(hub.asked).toEqual([]);
    vi.stubEnv('HF_HUB_OFFLINE', '0');
    const model = await loadModel('org/name', { download: { patience: HASTE } });
    try {
      expect(model.engine.model.config.vocabSize).toBe(300);
      expect(model.directory).toBe(await resolveModel('org/name'));
    } finally {
      await model.close();
    }
    const { length } = hub.asked;
    await (await loadModel('org/name')).close();
    expect(hub.asked).toHaveLength(length);
  });

  it('completes a snapshot of which another tool brought config.json alone', async () => {
    const files = miniatureFiles();
    const hub = await startHub(files);
    const cache = useHub(hub);
    const { path } = await pull();
    const blob = join(cache, 'models--org--name/blobs', hashOf(files['model.safetensors']));
    const { rmSync } = await import('node:fs');
    rmSync(blob);
    rmSync(join(path, 'model.safetensors'));
    await (await loadModel('org/name', { download: { patience: HASTE } })).close();
    expect(existsSync(blob)).toBe(true);
  });
});

describe('GGUF repositories', () => {
  const gguf = (): FakeFile => ({
    content: Buffer.concat([Buffer.from('GGUF'), noise(3000)]),
    lfs: true,
  });

  it('the only file is the model, of several one is named', async () => {
    const hub = await startHub({ 'm-Q4.gguf': gguf(), 'README.md': { content: Buffer.from('x') } });
    const cache = useHub(hub);
    const { path } = await pull();
    expect(path).toBe(join(cache, 'models--org--name/snapshots', COMMIT, 'm-Q4.gguf'));
    expect(await resolveModel('org/name')).toBe(path);
    expect(listCachedModels()).toMatchObject([{ reference: 'org/name', bytes: 3004 }]);

    hub.files.set('sub/m-Q8.gguf', gguf());
    await expect(pull()).rejects.toThrow(
      /has 2 GGUF files: name one of them, as org\/name\/m-Q4\.gguf, org\/name\/sub\/m-Q8\.gguf\./,
    );
    await expect(pull('org/name/none.gguf')).rejects.toThrow(/no file none\.gguf: give one of org/);
    const other = await pull('org/name@main/sub/m-Q8.gguf');
    expect(other.path).toBe(join(other.directory, 'sub/m-Q8.gguf'));
    expect(readlinkSync(other.path)).toBe(join('../../../blobs', hashOf(gguf())));
    expect(await resolveModel('org/name/sub/m-Q8.gguf')).toBe(other.path);
    await expect(resolveModel('org/name')).rejects.toThrow(/2 GGUF files in the cache; name one/);
    expect(listCachedModels().map(({ reference }) => reference)).toEqual([
      'org/name/m-Q4.gguf',
      'org/name/sub/m-Q8.gguf',
    ]);
  });

  it('parts of a file are refused before they are downloaded, as is a repository of pickles', async () => {
    const hub = await startHub({ 'm-00001-of-00002.gguf': gguf() });
    useHub(hub);
    await expect(pull()).rejects.toThrow(/as a part of several; only GGUF files that are whole/);
    hub.files.clear();
    hub.files.set('pytorch_model.bin', gguf());
    await expect(pull()).rejects.toThrow(/neither model\.safetensors nor a GGUF file, and pickles/);
    expect(hub.asked.some(({ path }) => path.includes('/resolve/'))).toBe(false);
  });
});

describe('names in the listing', () => {
  it.each(['../escape.gguf', '/etc/x.gguf', 'a/../../x.gguf', 'a\\..\\x.gguf', 'C:x.gguf'])(
    'refuses %s',
    async (name) => {
      const hub = await startHub({ ...miniatureFiles(), [name]: { content: noise(10) } });
      const cache = useHub(hub);
      await expect(pull()).rejects.toThrow(/would lie outside its folder; nothing is downloaded/);
      expect(existsSync(join(cache, 'models--org--name'))).toBe(false);
    },
  );
});

describe('where no links are possible', () => {
  it('a snapshot has copies', async () => {
    vi.resetModules();
    vi.doMock('node:fs/promises', async (original) => {
      const denied = () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' }));
      return { ...(await original<object>()), symlink: denied, link: denied };
    });
    try {
      const hub = await startHub(miniatureFiles());
      useHub(hub);
      const { pullModel } = await import('../../src/hub/pull.js');
      const { path } = await pullModel(parseHubReference('org/name')!, { patience: HASTE });
      const copy = join(path, 'model.safetensors');
      expect(lstatSync(copy).isFile()).toBe(true);
      expect(readFileSync(copy).equals(hub.files.get('model.safetensors')!.content)).toBe(true);
      // What lies there is replaced.
      writeFileSync(copy, '');
      await pullModel(parseHubReference('org/name')!, { patience: HASTE });
      expect(readFileSync(copy).equals(hub.files.get('model.safetensors')!.content)).toBe(true);
    } finally {
      vi.doUnmock('node:fs/promises');
      vi.resetModules();
    }
  });
});
