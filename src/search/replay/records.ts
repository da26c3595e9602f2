import type { Coupling } from '../../decoding/coupling.js';
import { builtInHead, tokenOf, withWords } from '../../decoding/head-tokens.js';
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
 * @param heads over which words the draft's head may be, null for all; the words of the text join each of them.
 * @returns what the draft would do with each head.
 */
export async function replayDraft(
  engine: Engine,
  { inputs, prompt, tokens, position, room }: Reference,
  gates: Gates,
  coupling: Coupling,
  heads: readonly (Int32Array | null)[],
): Promise<ReplayRecord[]> {
  const { vocabSize } = engine.config;
  const logits = await engine.replay(inputs, gates);
  return heads.map((words) => {
    const builtIn = builtInHead(words);
    let head = builtIn && withWords(builtIn, prompt);
    let choose = coupling.draftFrom(head);
    const match = new Uint8Array(inputs.count);
    const confidence = new Float64Array(inputs.count);
    for (let i = 0; i < inputs.count; i++) {
      const wider = head && withWords(head, [tokens[i]!]);
      if (wider !== head) {
        head = wider;
        choose = coupling.draftFrom(head);
      }
      const whole = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
      const row = head ? columnsOf(whole, head.tokens) : whole;
      const column = choose(row, position + i + 1, 0);
      match[i] = tokenOf(head, column) === tokens[i + 1] ? 1 : 0;
      confidence[i] = topProbability(row, 0, row.length, row[column]!);
    }
    return { match, confidence, room };
  });
}

function columnsOf(logits: Float32Array, tokens: Int32Array): Float32Array {
  const columns = new Float32Array(tokens.length);
  for (let i = 0; i < tokens.length; i++) columns[i] = logits[tokens[i]!]!;
  return columns;
}
