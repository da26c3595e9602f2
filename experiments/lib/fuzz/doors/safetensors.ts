import type { Random } from '../../../../src/random.js';
import type { Door } from '../door.js';
import { pick, WORDS } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { useCheckpoint } from './checkpoint.js';
import { bytesOf, families } from './seeds.js';

const SHARD = 'model-00001-of-00001.safetensors';
const INDEX = 'model.safetensors.index.json';

const headerBytes = (file: Buffer) => Number(file.readBigUInt64LE());
const headerOf = (file: Buffer): Json =>
  JSON.parse(file.toString('utf8', 8, 8 + headerBytes(file)));

/** Another header before the same data; its length is sometimes a lie. */
function withHeader(random: Random, file: Buffer, header: string): Buffer {
  const length = Buffer.alloc(8);
  const text = Buffer.from(header);
  length.writeBigUInt64LE(random.integer(10) === 0 ? pick(random, WORDS) : BigInt(text.length));
  return Buffer.concat([length, text, file.subarray(8 + headerBytes(file))]);
}

/** A checkpoint's weights, in one file or in shards with their index. */
export function safetensorsDoor(): Door {
  const seeds = families.map((folder) => ({
    config: bytesOf(folder, 'config.json'),
    weights: bytesOf(folder, 'model.safetensors'),
  }));
  return {
    name: 'safetensors',
    make(random) {
      const { config, weights } = pick(random, seeds);
      const donor = pick(random, seeds).weights;
      const isIndex = random.integer(4) === 0;
      if (isIndex) {
        const names = Object.keys(Object(headerOf(weights))).filter(
          (name) => !name.startsWith('__'),
        );
        const weight_map = Object.fromEntries(names.map((name) => [name, SHARD]));
        const index = mutateJson(random, { metadata: {}, weight_map }, headerOf(donor));
        return { 'config.json': config, [SHARD]: weights, [INDEX]: index };
      }
      const mutated =
        random.integer(2) === 0
          ? mutateBytes(random, weights, donor, 8 + headerBytes(weights))
          : withHeader(random, weights, mutateJson(random, headerOf(weights), headerOf(donor)));
      return { 'config.json': config, 'model.safetensors': mutated };
    },
    enter: useCheckpoint,
  };
}
