import type { Coupling } from '../../decoding/coupling.js';
import { topProbability } from '../../decoding/sampling/greedy.js';
import type { Engine, Gates } from '../../engine/engine.js';
import type { Reference } from './reference.js';

/** What a draft would do at every place of a reference. */
export interface ReplayRecord {
  /** 1 where it proposes the target's token, [N]. */
  readonly match: Uint8Array;
  /** Its probability of the token that it proposes, as draft exits read it, [N]. */
  readonly confidence: Float64Array;
  /** How many tokens a draft that starts here may have, [N]. */
  readonly room: Int32Array;
}

/**
 * Replays a reference with a draft: one pass, then the choice of a token at every place, as the drafter chooses it.
 * @param engine with gates.
 */
export async function replayDraft(
  engine: Engine,
  { inputs, tokens, position, room }: Reference,
  gates: Gates,
  coupling: Coupling,
): Promise<ReplayRecord> {
  const { vocabSize } = engine.config;
  const logits = await engine.replay(inputs, gates);
  const choose = coupling.draftFrom(null);
  const match = new Uint8Array(inputs.count);
  const confidence = new Float64Array(inputs.count);
  for (let i = 0; i < inputs.count; i++) {
    const row = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
    const token = choose(row, position + i + 1, 0);
    match[i] = token === tokens[i + 1] ? 1 : 0;
    confidence[i] = topProbability(row, 0, vocabSize, row[token]!);
  }
  return { match, confidence, room };
}
