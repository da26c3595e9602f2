import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '../../../src/checkpoint/formats/safetensors/header.js';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { InputError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import {
  hasShared,
  inputErrorOf,
  ramp,
  rawSafetensors,
  SHARED,
  safetensors,
  TINY_CONFIG,
  tinyTensors,
  writeFolder,
} from '../fixtures.js';

const folder = temporaryDirectory();

function header(bytes: Buffer) {
  const file = join(folder, 'x.safetensors');
  writeFileSync(file, bytes);
  return readSafetensorsHeader(file);
}
const oneTensor = (entry: object, dataBytes = 8) =>
  rawSafetensors(JSON.stringify({ t: entry }), new Uint8Array(dataBytes));
const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

describe('readSafetensorsHeader', () => {
  it('places every tensor', () => {
    const bytes = safetensors({ b: ramp([2, 3]), a: ramp([]), e: ramp([0, 4]) });
    const dataStart = bytes.length - 28;
    expect(header(bytes).map(({ file: _file, ...rest }) => rest)).toEqual(
      [
        { name: 'b', dtype: 'F32', shape: [2, 3], offset: dataStart, byteLength: 24 },
        { name: 'e', dtype: 'F32', shape: [0, 4], offset: dataStart + 28, byteLength: 0 },
        { name: 'a', dtype: 'F32', shape: [], offset: dataStart + 24, byteLength: 4 },
      ].sort((x, y) => x.offset - y.offset),
    );
  });

  const length60 = Buffer.alloc(16);
  length60.writeBigUInt64LE(2n ** 60n);
  const length1000 = Buffer.alloc(16);
  length1000.writeBigUInt64LE(1000n);
  it.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /too short/],
    ['a header length of 2^60', length60, /claims 1152921504606846976 bytes, more than the limit/],
    [
      'a header longer than the file',
      length1000,
      /truncated: its header claims 1000 bytes but the file has 16/,
    ],
    ['a header that is not JSON', rawSafetensors('{"t": '), /not JSON/],
    [
      'a header that is not UTF-8',
      Buffer.concat([rawSafetensors('').fill(2, 0, 1), Buffer.from([0xff, 0xff])]),
      /not JSON in UTF-8/,
    ],
    ['a list as header', rawSafetensors('[]'), /its content cannot be used/],
    [
      'JSON a hundred thousand levels deep',
      rawSafetensors(`{"t":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
      /header is not JSON/,
    ],
    [
      'more than 100000 tensors',
      rawSafetensors(`{${Array.from({ length: 100_001 }, (_, i) => `"${i}":0`)}}`),
      /100001 tensors/,
    ],
    ['an unknown dtype', oneTensor({ ...good, dtype: 'F4' }), /tensor "t": field "dtype"/],
    [
      'a dtype that every object has',
      oneTensor({ ...good, dtype: 'constructor' }),
      /field "dtype"/,
    ],
    ['an unknown field', oneTensor({ ...good, sparse: true }), /sparse/],
    ['a negative size', oneTensor({ ...good, shape: [-2] }), /field "shape.0"/],
    ['a fraction as size', oneTensor({ ...good, shape: [0.5] }), /field "shape.0"/],
    [
      'sizes beyond safe integers',
      oneTensor({ ...good, shape: [2 ** 40, 2 ** 40] }),
      /needs \S+ bytes/,
    ],
    [
      'an offset beyond safe integers',
      oneTensor({ ...good, data_offsets: [0, 2 ** 60] }),
      /field "data_offsets.1"/,
    ],
    [
      'a shape that does not fill its bytes',
      oneTensor({ ...good, shape: [3] }),
      /needs 12 bytes, but data_offsets give it 8/,
    ],
    [
      'offsets the wrong way round',
      oneTensor({ ...good, data_offsets: [8, 0] }),
      /needs 8 bytes, but data_offsets give it -8/,
    ],
    ['missing data', oneTensor(good, 7), /truncated: its tensors need/],
    ['data of no tensor at the end', oneTensor(good, 9), /last 1 bytes belong to no tensor/],
    [
      'data of no tensor at the start',
      oneTensor({ ...good, data_offsets: [4, 12] }, 12),
      /4 bytes before tensor "t"/,
    ],
    [
      'two tensors that overlap',
      rawSafetensors(
        JSON.stringify({ t: good, u: { ...good, data_offsets: [4, 12] } }),
        new Uint8Array(12),
      ),
      /"u" overlaps/,
    ],
    [
      'a name listed twice',
      rawSafetensors(
        `{"t":${JSON.stringify(good)},"t":${JSON.stringify({ ...good, data_offsets: [8, 16] })}}`,
        new Uint8Array(16),
      ),
      /listed twice/,
    ],
  ])('refuses %s in one sentence', (_, bytes, message) => {
    expect(inputErrorOf(() => header(bytes))).toMatch(message);
  });

  it('answers any damage with an InputError or with tensors inside the file', () => {
    const bytes = safetensors({ a: ramp([2]), b: ramp([1, 3]) });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, end) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        try {
          for (const tensor of header(damaged.subarray(0, end)))
            expect(tensor.offset + tensor.byteLength).toBeLessThanOrEqual(end);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('openCheckpoint', () => {
  const shards = () => {
    const [first, ...rest] = Object.entries(tinyTensors());
    return {
      'a.safetensors': safetensors(Object.fromEntries([first])),
      'b.safetensors': safetensors(Object.fromEntries(rest)),
    };
  };
  const index = (changes: Record<string, string> = {}) => {
    const names = Object.keys(tinyTensors());
    const map = Object.fromEntries(
      names.map((name, i) => [name, i === 0 ? 'a.safetensors' : 'b.safetensors']),
    );
    return { 'model.safetensors.index.json': { metadata: {}, weight_map: { ...map, ...changes } } };
  };
  const model = (files: Record<string, object | Buffer>) =>
    writeFolder(temporaryDirectory(), { 'config.json': TINY_CONFIG, ...files });

  it('opens a single file', () => {
    const directory = model({ 'model.safetensors': safetensors(tinyTensors()) });
    const { config, tensors, files } = openCheckpoint(directory);
    expect(config.hiddenSize).toBe(4);
    expect([...tensors.keys()]).toEqual(Object.keys(tinyTensors()));
    expect(files).toEqual(
      ['model.safetensors', 'config.json'].map((name) => join(directory, name)),
    );
  });

  it('opens shards, also through symlinks as in the Hugging Face cache', () => {
    const directory = model(index());
    const blobs = writeFolder(join(directory, 'blobs'), shards());
    for (const name of ['a.safetensors', 'b.safetensors'])
      symlinkSync(join(blobs, name), join(directory, name));
    const { tensors, files } = openCheckpoint(directory);
    expect(tensors.size).toBe(Object.keys(tinyTensors()).length);
    expect(tensors.get('lm_head.weight')?.file).toBe(join(directory, 'b.safetensors'));
    expect(files).toHaveLength(3);
  });

  it.each([
    '../a.safetensors',
    '/elsewhere/a.safetensors',
    'sub/a.safetensors',
    '..\\a.safetensors',
    '..',
    'a.bin',
    'a\0.safetensors',
  ])('refuses the shard name %j', (name) => {
    const directory = model({ ...index({ 'lm_head.weight': name }), ...shards() });
    mkdirSync(join(directory, 'sub'), { recursive: true });
    expect(() => openCheckpoint(directory)).toThrow(/not a plain \.safetensors file name/);
  });

  it('says which shard is missing, cut off, or without its tensor, and which tensor is there twice', () => {
    const { 'a.safetensors': a, 'b.safetensors': b } = shards();
    expect(() => openCheckpoint(model({ ...index(), 'b.safetensors': b }))).toThrow(
      /a\.safetensors is missing/,
    );
    const cut = model({ ...index(), ...shards() });
    truncateSync(join(cut, 'b.safetensors'), b.length - 1);
    expect(() => openCheckpoint(cut)).toThrow(/b\.safetensors is truncated/);
    expect(() =>
      openCheckpoint(model({ ...index({ 'lm_head.weight': 'a.safetensors' }), ...shards() })),
    ).toThrow(/places tensor "lm_head\.weight" in a\.safetensors, which does not hold it/);
    const twice = { 'a.safetensors': safetensors(tinyTensors()), 'b.safetensors': b };
    expect(() => openCheckpoint(model({ ...index(), ...twice }))).toThrow(
      /"model\.layers\S+" is stored twice/,
    );
    expect(a.length).toBeGreaterThan(8);
  });

  it('names what it looked for in a folder without safetensors', () => {
    expect(() => openCheckpoint(model({}))).toThrow(
      /neither model\.safetensors nor model\.safetensors\.index\.json/,
    );
  });

  it.skipIf(!hasShared('models'))('opens real models', () => {
    for (const name of ['starter-10m', 'stories260k', 'tinystories-656k'])
      expect(openCheckpoint(join(SHARED, 'models', name)).tensors.size).toBeGreaterThan(15);
  });
});
