import { closeSync, openSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGgufHeader } from '../../../src/checkpoint/formats/gguf/header.js';
import { openGgufHeader } from '../../../src/checkpoint/formats/gguf/open-header.js';
import { HeaderWindow } from '../../../src/checkpoint/formats/gguf/window.js';
import { ggmlTypes } from '../../../src/checkpoint/ggml/types.js';
import { InputError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { hasShared, inputErrorOf, SHARED } from '../fixtures.js';

const folder = temporaryDirectory();
const file = join(folder, 'x.gguf');

function read(bytes: Uint8Array) {
  writeFileSync(file, bytes);
  return readGgufHeader(file);
}

function refusal(bytes: Uint8Array): string {
  const message = inputErrorOf(() => read(bytes));
  expect(message).toContain(file);
  expect(message).toMatch(/^[^\n]*\.$/);
  return message;
}

const u8 = (value: number) => Buffer.from([value]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
};
const f32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const f64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};
const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u64(bytes.length), bytes]);
};

const entry = (key: string | Buffer, type: number, ...value: Buffer[]) =>
  Buffer.concat([text(key), u32(type), ...value]);
const array = (type: number, length: number | bigint, ...elements: Buffer[]) =>
  Buffer.concat([u32(type), u64(length), ...elements]);
const tensor = (name: string, ne: (number | bigint)[], type: number, offset: number | bigint) =>
  Buffer.concat([text(name), u32(ne.length), ...ne.map(u64), u32(type), u64(offset)]);

interface Parts {
  magic?: string;
  version?: number;
  metadata?: Buffer[];
  tensors?: Buffer[];
  metadataCount?: number | bigint;
  tensorCount?: number | bigint;
  alignment?: number;
  dataBytes?: number;
}

function gguf(parts: Parts): Buffer {
  const { metadata = [], tensors = [], alignment = 32 } = parts;
  const header = Buffer.concat([
    Buffer.from(parts.magic ?? 'GGUF'),
    u32(parts.version ?? 3),
    u64(parts.tensorCount ?? tensors.length),
    u64(parts.metadataCount ?? metadata.length),
    ...metadata,
    ...tensors,
  ]);
  const padding = (alignment - (header.length % alignment)) % alignment;
  return Buffer.concat([header, Buffer.alloc(padding + (parts.dataBytes ?? 0))]);
}

const everyType = [
  entry('u8', 0, u8(255)),
  entry('i8', 1, u8(255)),
  entry('u16', 2, Buffer.from([0xfe, 0xff])),
  entry('i16', 3, Buffer.from([0xfe, 0xff])),
  entry('u32', 4, u32(0xffff_fffe)),
  entry('i32', 5, u32(0xffff_fffe)),
  entry('f32', 6, f32(-1.5)),
  entry('no', 7, u8(0)),
  entry('yes', 7, u8(1)),
  entry('string', 8, text('\ufeffé▁the')),
  entry('u64', 10, u64(Number.MAX_SAFE_INTEGER)),
  entry('i64', 11, u64(-Number.MAX_SAFE_INTEGER)),
  entry('f64', 12, f64(1e-10)),
  entry('strings', 9, array(8, 2, text(''), text('b'))),
  entry('u64s', 9, array(10, 2, u64(1), u64(2))),
  entry('nested', 9, array(9, 2, array(0, 1, u8(7)), array(8, 1, text('x')))),
  entry('empty', 9, array(6, 0)),
];
const twoTensors = [tensor('late', [32, 3], 8, 32), tensor('early', [5], 0, 0)];
const good: Parts = { metadata: everyType, tensors: twoTensors, dataBytes: 32 + 102 };
const one = (ne: (number | bigint)[], type = 0, offset: number | bigint = 0): Parts => ({
  tensors: [tensor('t', ne, type, offset)],
  dataBytes: 1024,
});

describe('a GGUF header', () => {
  it.each([2, 3])('of version %i gives its metadata and tensors', (version) => {
    const bytes = gguf({ ...good, version });
    const header = read(bytes);
    expect(header.file).toBe(file);
    expect(Object.fromEntries(header.metadata)).toEqual({
      u8: 255,
      i8: -1,
      u16: 65534,
      i16: -2,
      u32: 4294967294,
      i32: -2,
      f32: -1.5,
      no: false,
      yes: true,
      string: '\ufeffé▁the',
      u64: Number.MAX_SAFE_INTEGER,
      i64: -Number.MAX_SAFE_INTEGER,
      f64: 1e-10,
      strings: ['', 'b'],
      u64s: [1, 2],
      nested: [[7], ['x']],
      empty: [],
    });
    const data = bytes.length - 134;
    expect([...header.tensors]).toEqual([
      ['late', { type: 'Q8_0', shape: [3, 32], offset: data + 32, byteLength: 102 }],
      ['early', { type: 'F32', shape: [5], offset: data, byteLength: 20 }],
    ]);
  });

  it.each(Object.entries(ggmlTypes))('takes tensors of type %s', (type, sizes) => {
    const { id, blockElements, blockBytes } = sizes;
    const tensors = [tensor('t', [blockElements * 2, 3, 1, 2], id, 0)];
    const header = read(gguf({ tensors, dataBytes: blockBytes * 12 }));
    expect(header.tensors.get('t')).toMatchObject({
      type,
      shape: [2, 1, 3, blockElements * 2],
      byteLength: blockBytes * 12,
    });
  });

  it('honours general.alignment', () => {
    const bytes = gguf({
      metadata: [entry('general.alignment', 4, u32(256))],
      tensors: [tensor('t', [1], 0, 256)],
      alignment: 256,
      dataBytes: 260,
    });
    expect(read(bytes).tensors.get('t')!.offset).toBe(bytes.length - 4);
  });

  it('may pass the first window many times over', () => {
    const long = 'a'.repeat(3_000_001);
    const metadata = [entry('a', 8, text(long)), entry('b', 8, text(long)), entry('c', 0, u8(9))];
    const header = read(gguf({ metadata }));
    expect(header.metadata.get('b') === long).toBe(true);
    expect(header.metadata.get('c')).toBe(9);
  });

  it('of a file that is not split by its own account is read', () => {
    const metadata = [entry('split.count', 2, Buffer.from([1, 0]))];
    expect(read(gguf({ metadata })).tensors.size).toBe(0);
  });
});

const nest = (depth: number): Buffer => (depth === 0 ? array(0, 0) : array(9, 1, nest(depth - 1)));
const refusals: [string, Parts, RegExp][] = [
  ['another magic', { magic: 'GGML' }, /the magic is not "GGUF"/],
  ['version 1', { version: 1 }, /the version is 1, but only 2 and 3/],
  ['version 0', { version: 0 }, /the version is 0/],
  ['big-endian files', { version: 0x0300_0000 }, /big-endian/],
  ['too many tensors', { tensorCount: 65_537 }, /tensor count is 65537, more than .* 65536/],
  ['a tensor count past 2^53', { tensorCount: 2n ** 63n }, /tensor count .*beyond 2\^53/],
  ['too many entries', { metadataCount: 65_537 }, /metadata count is 65537, more than/],
  ['a long string', { metadata: [entry('k', 8, u64(2 ** 24 + 1))] }, /"k" .*16777217 bytes/],
  ['a long key', { metadata: [u64(2 ** 24 + 1)] }, /key of metadata entry 0 .*16777217/],
  ['a key that is not UTF-8', { metadata: [entry(Buffer.from([255]), 0, u8(1))] }, /not UTF-8/],
  ['text not UTF-8', { metadata: [entry('k', 8, text(Buffer.from([255])))] }, /"k" .*not UTF-8/],
  ['an unknown value type', { metadata: [entry('k', 13)] }, /"k" has the unknown value type 13/],
  ['an unknown element type', { metadata: [entry('k', 9, array(13, 0))] }, /element type 13/],
  ['a boolean of 2', { metadata: [entry('k', 7, u8(2))] }, /"k" is a boolean stored as 2/],
  ['a large u64', { metadata: [entry('k', 10, u64(2n ** 53n))] }, /"k" .*9007199254740992/],
  ['a large i64', { metadata: [entry('k', 11, u64(-(2n ** 53n)))] }, /"k" .*-9007199254740992/],
  ['a long array', { metadata: [entry('k', 9, array(0, 2 ** 22 + 1))] }, /"k" .*4194304/],
  ['an array past the file', { metadata: [entry('k', 9, array(0, 2 ** 22))] }, /"k" claims/],
  ['deep arrays', { metadata: [entry('k', 9, nest(4))] }, /"k" nests arrays deeper .* 4/],
  [
    'a key twice',
    { metadata: [entry('k', 0, u8(1)), entry('k', 0, u8(1))] },
    /"k" is listed twice/,
  ],
  ...[0, 3, 2 ** 21].map((value): [string, Parts, RegExp] => [
    `alignment ${value}`,
    { metadata: [entry('general.alignment', 4, u32(value))] },
    /"general.alignment" is not a power of two/,
  ]),
  ['alignment in words', { metadata: [entry('general.alignment', 8, text('32'))] }, /power of two/],
  [
    'a split file',
    { metadata: [entry('split.no', 2, u8(1), u8(0)), entry('split.count', 2, u8(3), u8(0))] },
    /is part 2 of a GGUF split into 3 files/,
  ],
  ['a split count in words', { metadata: [entry('split.count', 8, text('3'))] }, /a split GGUF/],
  ['no dimensions', one([]), /"t" has 0 dimensions/],
  ['five dimensions', one([1, 1, 1, 1, 1]), /"t" has 5 dimensions/],
  ['an empty tensor', one([0, 2]), /"t" has the empty shape \[2,0\]/],
  ['part of a block', one([33], 8), /"t" has rows of 33 elements, not a multiple of the 32/],
  ['rows of half blocks', one([16, 2], 8), /"t" has rows of 16 elements/],
  ['a product past 2^53', one([2 ** 30, 2 ** 30]), /"t" has the shape .* too large/],
  ['a dimension past 2^53', one([2n ** 60n]), /"t" holds the 64-bit number/],
  ['type 16', one([256], 16), /"t" has the type 16 \(IQ2_XXS\), which cannot be read/],
  ['type 99', one([256], 99), /"t" has the type 99, which cannot be read/],
  ['an odd offset', one([1], 0, 4), /"t" has the offset 4, not a multiple .* 32/],
  ['an offset past the file', one([1], 0, 1024), /truncated: tensor "t" needs/],
  ['a huge offset', one([1], 0, 2 ** 53 - 32), /truncated: tensor "t" needs/],
  [
    'a tensor name twice',
    { tensors: [tensor('t', [1], 0, 0), tensor('t', [1], 0, 32)], dataBytes: 64 },
    /tensor "t" is listed twice/,
  ],
  [
    'overlapping tensors',
    { tensors: [tensor('a', [9], 0, 0), tensor('b', [1], 0, 32)], dataBytes: 64 },
    /tensor "b" overlaps the one before it/,
  ],
];

describe('a faulty GGUF file', () => {
  it.each(refusals)('is refused for %s', (_, parts, message) => {
    expect(refusal(gguf(parts))).toMatch(message);
  });

  it('is refused for a key of many lines in a message of one', () => {
    const key = `\n${'k'.repeat(1000)}`;
    expect(refusal(gguf({ metadata: [entry(key, 99)] })).length).toBeLessThan(file.length + 200);
  });

  it('is refused for a header past its limit', () => {
    writeFileSync(file, Buffer.alloc(64));
    const fd = openSync(file, 'r');
    try {
      const window = new HeaderWindow(fd, file, 64, 16);
      expect([window.u64(), window.u64()]).toEqual([0, 0]);
      window.field = 'metadata "k"';
      expect(inputErrorOf(window.u8)).toMatch(/metadata "k" takes .* past the limit of 16 bytes/);
    } finally {
      closeSync(fd);
    }
  });

  it('is refused when it is absent or a folder', () => {
    expect(() => readGgufHeader(join(folder, 'absent.gguf'))).toThrow(InputError);
    expect(() => readGgufHeader(folder)).toThrow(InputError);
  });

  it('is refused when it is cut off after any byte', () => {
    const bytes = gguf(good);
    writeFileSync(file, bytes);
    for (let length = bytes.length - 1; length >= 0; length--) {
      truncateSync(file, length);
      expect(() => readGgufHeader(file), `${length} bytes`).toThrow(InputError);
    }
  });

  it('is read or refused with an InputError whatever bytes are changed', () => {
    const bytes = gguf(good);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const mutated = Buffer.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        try {
          for (const { offset, byteLength } of read(mutated).tensors.values())
            expect(offset + byteLength).toBeLessThanOrEqual(mutated.length);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('openGgufHeader', () => {
  it('reads a file once, and again after it changed', () => {
    writeFileSync(file, gguf(good));
    const header = openGgufHeader(file);
    expect(header.metadata.get('u8')).toBe(255);
    expect(openGgufHeader(file)).toBe(header);
    writeFileSync(file, gguf({ ...good, metadata: [entry('u8', 0, u8(7))] }));
    expect(openGgufHeader(file).metadata.get('u8')).toBe(7);
  });

  it('refuses what is not there', () => {
    expect(inputErrorOf(() => openGgufHeader(join(folder, 'absent.gguf')))).toMatch(
      /^Cannot read /,
    );
  });
});

const model = 'models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf';

describe('SmolLM2-135M-Instruct', () => {
  it.skipIf(!hasShared(model))('is read (skipped without ../shared/models)', () => {
    const path = join(SHARED, model);
    const { metadata, tensors } = readGgufHeader(path);
    expect(metadata.get('general.architecture')).toBe('llama');
    expect(metadata.get('tokenizer.ggml.tokens')).toHaveLength(49152);
    expect(tensors.size).toBe(272);
    expect(tensors.get('token_embd.weight')).toMatchObject({ type: 'Q8_0', shape: [49152, 576] });
    const ends = [...tensors.values()].map(({ offset, byteLength }) => offset + byteLength);
    expect(Math.max(...ends)).toBe(statSync(path).size);
  });
});
