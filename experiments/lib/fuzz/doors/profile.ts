import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkDraftWeights, encodeDraftWeights } from '../../../../src/engine/draft-weights.js';
import { readProfile } from '../../../../src/profile/profile.js';
import { readSkipLists } from '../../../../src/profile/skip-lists.js';
import { renderReport } from '../../../../src/reporting/report/render.js';
import type { Door } from '../door.js';
import { pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { jsonOf } from './seeds.js';

const FILE = 'found.profile.json';
const WEIGHTS = 'found.safetensors';
const HIDDEN = 16;
const VOCABULARY = 64;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Draft weights of a size that ten thousand can be written of. */
function smallWeights(): Uint8Array {
  const map = new Float32Array(HIDDEN ** 2).fill(0.01);
  const bias = new Float32Array(HIDDEN);
  const bridges = [
    { from: 2, to: 8, weight: map, memory: map, bias },
    { from: 10, to: 12, weight: map, bias },
  ];
  const bits = { attention: [1, 2, 3, 5], mlp: [1, 2, 3, 5] };
  const words = Int32Array.from({ length: 8 }, (_, i) => 3 * i);
  return encodeDraftWeights({ mask: bits, bridges, words })!;
}

/** A skip profile, and the file of draft weights that it names. */
export function profileDoor(): Door {
  const weights = smallWeights();
  const found = Object(jsonOf('results', 'search-demo.profile.json'));
  const second: Json = jsonOf('results', 'search-demo-seed-1.profile.json');
  const profile = (file: Uint8Array): Json => ({
    ...found,
    version: 3,
    model: { ...found.model, hidden_size: HIDDEN, vocab_size: VOCABULARY },
    ...{ skip_attention: [1, 2, 3, 5], skip_mlp: [1, 2, 3, 5], head_words: 8 },
    bridges: [
      { from: 2, to: 8, memory: true },
      { from: 10, to: 12 },
    ],
    draft_weights: { file: WEIGHTS, sha256: sha256(file) },
  });
  return {
    name: 'profile',
    make(random) {
      const kind = random.integer(4);
      if (kind === 0) {
        const mutated = mutateBytes(random, weights, weights, 400);
        // Mostly with the hash of what it has become, or no other check would be met.
        const named = random.integer(10) === 0 ? weights : mutated;
        return { [FILE]: JSON.stringify(profile(named)), [WEIGHTS]: mutated };
      }
      const whole = pick(random, [profile(weights), second]);
      const mutated =
        kind === 1
          ? mutateBytes(
              random,
              Buffer.from(JSON.stringify(whole)),
              Buffer.from(JSON.stringify(second)),
            )
          : mutateJson(random, whole, second);
      return { [FILE]: mutated, [WEIGHTS]: weights };
    },
    enter(folder) {
      const path = join(folder, FILE);
      const read = readProfile(path);
      checkDraftWeights(read, path);
      renderReport([{ kind: 'profile', path, profile: read }]);
    },
  };
}

const LISTS = 'lists.json';
/** The same under names. */
const MANY = 'many.json';

/** Skip lists as papers publish them, which make a plan. */
export function skipListsDoor(): Door {
  const lists: Json = { attention: [1, 4, 7, 8], mlp: [2, 3, 11] };
  const many: Json = { 'llama-2-13b': lists, other: { attention: [], mlp: [0, 1, 2] } };
  return {
    name: 'skip-lists',
    make(random) {
      const isMany = random.integer(2) === 0;
      const value = isMany ? many : lists;
      const bytes = Buffer.from(JSON.stringify(value));
      const mutated =
        random.integer(4) === 0
          ? mutateBytes(random, bytes, Buffer.from(JSON.stringify(many)))
          : mutateJson(random, value, many);
      return { [isMany ? MANY : LISTS]: mutated };
    },
    enter(folder) {
      if (existsSync(join(folder, MANY))) readSkipLists(`${join(folder, MANY)}#llama-2-13b`, 12);
      else readSkipLists(join(folder, LISTS), 12);
    },
  };
}
