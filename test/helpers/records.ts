import type { ReplayRecord } from '../../src/search/replay/records.js';

/** What replay shows of a draft whose tokens do not matter, in a text that ends where its places do. */
export function replayRecord(match: Uint8Array, confidence: Float64Array): ReplayRecord {
  return {
    ...{ token: new Int32Array(match.length), match, confidence },
    room: Int32Array.from(match, (_, i) => match.length - 1 - i),
    text: { prompt: [], tokens: [], position: 0 },
  };
}
