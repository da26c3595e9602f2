import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseHubReference } from '../../../../src/checkpoint/hub-reference.js';
import { pullModel } from '../../../../src/hub/pull.js';
import type { Random } from '../../../../src/random.js';
import type { Door, InputFiles } from '../door.js';
import { NAMES, NUMBERS, pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
/** Faults are borne for moments only: a silence must end before the input counts as one that hangs. */
const PATIENCE = { attempts: 2, firstPause: 0.005, longestPause: 0.05, silence: 0.3 };

const files: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{"version":"1.0","model":{}}'),
  [SHARDS[0]!]: Buffer.alloc(5000, 1),
  [SHARDS[1]!]: Buffer.alloc(100, 2),
  'model.safetensors.index.json': Buffer.from(
    JSON.stringify({ metadata: {}, weight_map: { a: SHARDS[0]!, b: SHARDS[1]! } }),
  ),
};
const INDEX = 'model.safetensors.index.json';

const gitHash = (content: Buffer) =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

function entryOf(path: string, content: Buffer): Json {
  const size = content.length;
  if (!path.endsWith('.safetensors')) return { type: 'file', path, size, oid: gitHash(content) };
  const lfs = { oid: sha256(content), size, pointerSize: 130 };
  return { type: 'file', path, size, oid: COMMIT, lfs };
}

const info: Json = {
  _id: '1',
  id: 'org/name',
  sha: COMMIT,
  private: false,
  gated: false,
  siblings: [],
};
const listing = (of: Readonly<Record<string, Buffer>>): Json => [
  { type: 'directory', path: 'onnx', size: 0, oid: COMMIT },
  ...Object.entries(of).map(([path, content]) => entryOf(path, content)),
];

/** What a server does beside giving the wrong answer. */
function fault(random: Random): Json {
  const name = pick(random, [
    'Content-Length',
    'Content-Range',
    'Location',
    'Retry-After',
    'Link',
    'ETag',
    'X-Error-Code',
    'X-Error-Message',
    'Content-Type',
  ]);
  const values = [
    '5',
    '-1',
    '99999999999',
    'bytes 0-1/2',
    'bytes */*',
    'http://127.0.0.1:1/',
    'file:///etc/passwd',
    '//',
    '/',
    'never',
    '<http://x/>; rel="next"',
    ...NUMBERS.slice(0, 12),
    ...NAMES.map((text) => text.replace(/[^\x20-\x7e]/g, '').slice(0, 2000)),
  ];
  const status = pick(
    random,
    [200, 200, 206, 204, 301, 302, 304, 307, 308, 400, 401, 403, 404, 416, 429, 500, 503, 599],
  );
  // Which request of all gets it.
  return {
    status,
    header: name,
    value: pick(random, values),
    turn: random.integer(8),
    cut: random.integer(4) === 0,
  };
}

interface Answers {
  readonly folder: string;
  readonly files: ReadonlySet<string>;
  readonly fault: {
    status: number;
    header: string;
    value: string;
    turn: number;
    cut: boolean;
  } | null;
  turn: number;
}

let answers: Answers | undefined;
let endpoint: Promise<string> | undefined;

const read = (name: string) => readFileSync(join(answers!.folder, name));

/** What is asked for; '' where a redirect led to what is no address. */
function pathOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url, 'http://x').pathname);
  } catch {
    return '';
  }
}

function answer(url: string, range: string | undefined, response: ServerResponse): void {
  const path = pathOf(url);
  const name = path.slice(`/org/name/resolve/${COMMIT}/`.length);
  const body = path.includes('/revision/')
    ? read('info')
    : path.includes('/tree/')
      ? read('tree')
      : answers!.files.has(`file-${name}`)
        ? read(`file-${name}`)
        : undefined;
  const turn = answers!.turn++;
  const planned = answers!.fault?.turn === turn ? answers!.fault : null;
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const rest = body?.subarray(from) ?? Buffer.from('{}');
  const usual = body === undefined ? 404 : range === undefined ? 200 : 206;
  try {
    if (range !== undefined && body !== undefined)
      response.setHeader('Content-Range', `bytes ${from}-${body.length - 1}/${body.length}`);
    if (planned) response.setHeader(planned.header, planned.value);
    response.writeHead(planned?.status ?? usual);
    if (planned?.cut) response.destroy();
    else response.end(rest);
  } catch {
    // A header that no server could send.
    response.destroy();
  }
}

function serve(): Promise<string> {
  const server = createServer((request, response) =>
    answer(request.url ?? '/', request.headers.range, response),
  );
  // The process ends with its inputs, not with the server.
  server.unref();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      done(`http://127.0.0.1:${port}`);
    });
  });
}

function withFiles(changed: InputFiles): InputFiles {
  const all = Object.entries(files).map(([name, content]) => [`file-${name}`, content]);
  return {
    info: JSON.stringify(info),
    tree: JSON.stringify(listing(files)),
    ...Object.fromEntries(all),
    ...changed,
  };
}

/** Answers of a Hub, or of what stands in its place: JSON, headers, contents. */
export function hubDoor(): Door {
  return {
    name: 'hub',
    make(random) {
      const whole = listing(files);
      switch (random.integer(7)) {
        case 0:
          return withFiles({ info: mutateJson(random, info, whole) });
        case 1:
        case 2:
          return withFiles({ tree: mutateJson(random, whole, info) });
        case 3: {
          // An index that is what it says it is, and names what it likes.
          const index = Buffer.from(
            mutateJson(random, JSON.parse(files[INDEX]!.toString()), whole),
          );
          const changed = { ...files, [INDEX]: index };
          return withFiles({ tree: JSON.stringify(listing(changed)), [`file-${INDEX}`]: index });
        }
        case 4: {
          const name = pick(random, Object.keys(files));
          return withFiles({ [`file-${name}`]: mutateBytes(random, files[name]!, files[INDEX]!) });
        }
        case 5: {
          const text = Buffer.from(JSON.stringify(whole));
          return withFiles({ [pick(random, ['tree', 'info'])]: mutateBytes(random, text, text) });
        }
        default:
          return withFiles({ fault: JSON.stringify(fault(random)) });
      }
    },
    async enter(folder) {
      endpoint ??= serve();
      process.env.HF_ENDPOINT = await endpoint;
      process.env.HF_HOME = join(folder, 'hub');
      const names = new Set(readdirSync(folder));
      const planned = names.has('fault')
        ? JSON.parse(readFileSync(join(folder, 'fault'), 'utf8'))
        : null;
      answers = { folder, files: names, fault: planned, turn: 0 };
      await pullModel(parseHubReference('org/name')!, { patience: PATIENCE });
    },
  };
}
