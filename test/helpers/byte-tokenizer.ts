import { loadTokenizer, type TextTokenizer } from '../../src/checkpoint/tokenizer.js';
import { byteLetters } from './byte-letters.js';
import { writeByteLevel } from './byte-level.js';
import { temporaryDirectory } from './temporary.js';

/**
 * A byte-level tokenizer of 16 tokens, whose random sequences are rich in characters of several bytes that are spread
 * over tokens, finished and unfinished, and in letters that could be the beginning of a longer text.
 */
export function byteTokenizer(): TextTokenizer {
  const letters = byteLetters();
  const [flag, smile] = [Buffer.from('é'), Buffer.from('🙂')];
  const tokens = [
    ...['a', 'b', 'ab', 'c', ' ', 'é', 'ba', '\n'].map((text) => Buffer.from(text)),
    ...[flag.subarray(0, 1), flag.subarray(1)],
    ...[smile.subarray(0, 1), smile.subarray(1, 2), smile.subarray(2), smile.subarray(0, 2)],
    ...[smile, smile.subarray(3)],
  ].map((bytes) => Array.from(bytes, (byte) => letters[byte]!).join(''));
  const directory = temporaryDirectory();
  writeByteLevel(directory, tokens);
  const loaded = loadTokenizer(directory);
  if (loaded === null) throw new Error('no tokenizer');
  return loaded;
}
