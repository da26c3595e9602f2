/** Mutations of bytes, whatever they mean. */
import type { Random } from '../../../src/random.js';
import { editCount, pick, WORDS } from './hostile.js';

/** What inputs may grow to: enough to pass any limit of a window, few enough to write ten thousand. */
const MOST_BYTES = 4 << 20;

type Edit = (random: Random, bytes: Buffer, donor: Buffer, place: () => number) => Buffer;

const cut = (random: Random, bytes: Buffer, place: () => number) => {
  const from = Math.min(place(), bytes.length);
  return bytes.subarray(from, from + random.integer(2 ** random.integer(12) + 1));
};

const EDITS: readonly Edit[] = [
  function flipBits(random, bytes, _, place) {
    if (bytes.length === 0) return bytes;
    for (let n = 1 + random.integer(8); n > 0; n--)
      bytes[Math.min(place(), bytes.length - 1)]! ^= 1 << random.integer(8);
    return bytes;
  },
  function setByte(random, bytes, _, place) {
    if (bytes.length > 0)
      bytes[Math.min(place(), bytes.length - 1)] = pick(
        random,
        [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x0a],
      );
    return bytes;
  },
  function setWord(random, bytes, _, place) {
    const size = pick(random, [2, 4, 8]);
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(pick(random, WORDS));
    word.copy(bytes, Math.max(0, Math.min(place(), bytes.length - size)), 0, size);
    return bytes;
  },
  function nudgeWord(random, bytes, _, place) {
    if (bytes.length < 8) return bytes;
    const at = Math.min(place(), bytes.length - 8);
    bytes.writeUInt32LE((bytes.readUInt32LE(at) + random.integer(65) - 32) >>> 0, at);
    return bytes;
  },
  function truncate(random, bytes, _, place) {
    return bytes.subarray(0, random.integer(2) === 0 ? place() : random.integer(bytes.length + 1));
  },
  function remove(random, bytes, _, place) {
    const from = Math.min(place(), bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.integer(64))]);
  },
  function repeat(random, bytes, _, place) {
    const piece = cut(random, bytes, place);
    const times = Math.min(2 ** random.integer(11), Math.floor(MOST_BYTES / (piece.length + 1)));
    const at = Math.min(place(), bytes.length);
    const repeated = Array.from({ length: times }, () => piece);
    return Buffer.concat([bytes.subarray(0, at), ...repeated, bytes.subarray(at)]);
  },
  function splice(random, bytes, donor, place) {
    const at = Math.min(place(), bytes.length);
    const skipped = random.integer(2) * random.integer(256);
    return Buffer.concat([
      bytes.subarray(0, at),
      cut(random, donor, place),
      bytes.subarray(at + skipped),
    ]);
  },
  function cross(_, bytes, donor, place) {
    const at = place();
    return Buffer.concat([bytes.subarray(0, at), donor.subarray(at)]);
  },
];

/**
 * Mutates a copy of bytes by one to four edits.
 * @param donor another input of the same kind, to take pieces from.
 * @param focus edits lie mostly among the first so many bytes.
 */
export function mutateBytes(
  random: Random,
  bytes: Uint8Array,
  donor: Uint8Array,
  focus = bytes.length,
): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  const place = () => {
    const bound = random.integer(8) === 0 ? mutated.length : Math.min(focus, mutated.length);
    return random.integer(Math.max(1, bound));
  };
  for (let edits = editCount(random); edits > 0; edits--)
    mutated = pick(random, EDITS)(random, mutated, Buffer.from(donor), place);
  return mutated.subarray(0, MOST_BYTES);
}
