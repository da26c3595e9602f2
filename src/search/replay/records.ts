import type { Coupling } from '../../decoding/coupling.js';
import { builtInHead, tokenOf, withWords } from '../../decoding/head-tokens.js';
import { topProbability } from '../../decoding/sampling/greedy.js';
import type { Engine } from '../../engine/engine.js';
import type { Gates } from '../../engine/gates.js';
import type { ReplayMemories } from './memories.js';
import type { Reference } from './reference.js';

/** What a draft proposes at every place of a reference. */
export interface Proposals {
  /** 1 where it proposes the target's token, [N]. */
  readonly match: Uint8Array;
  /** Its probability of the token that it proposes, as draft exits read it, [N]. */
  readonly confidence: Float64Array;
}

/** What a draft would do at every place of a reference: at the offset that the place has in its window. */
export interface ReplayRecord extends Proposals {
  /** What it would do as the first token of a draft, where that is known apart: with memories the first sees more than others. */
  readonly first?: Proposals;
  /** How many tokens a draft that starts here may have, [N]. */
  readonly room: Int32Array;
}

/** What it proposes as a token of a draft that has so many before it. */
export function proposalsAt(record: ReplayRecord, before: number): Proposals {
  return before === 0 ? (record.first ?? record) : record;
}

/**
 * Replays a reference with a draft: one pass, or two with memories, then the choice of a token at every place, as the drafter
 * chooses it.
 * @param engine with gates.
 * @param heads over which words the draft's head may be, null for all; the words of the text join each of them.
 * @param memories what its bridges with memory see; null where it has none.
 * @returns what the draft would do with each head.
 */
export async function replayDraft(
  engine: Engine,
  reference: Reference,
  gates: Gates,
  coupling: Coupling,
  heads: readonly (Int32Array | null)[],
  memories: ReplayMemories | null = null,
): Promise<ReplayRecord[]> {
  const { inputs, room } = reference;
  const proposed = (logits: Float32Array) =>
    heads.map((words) => proposals(logits, reference, coupling, words, engine.config.vocabSize));
  const all = proposed(await engine.replay(inputs, gates, memories?.inWindows));
  if (!memories) return all.map((own) => ({ ...own, room }));
  const first = proposed(await engine.replay(memories.firstInputs, gates, memories.first));
  return all.map((own, i) => ({ ...own, first: first[i]!, room }));
}

function proposals(
  logits: Float32Array,
  { inputs, prompt, tokens, position }: Reference,
  coupling: Coupling,
  words: Int32Array | null,
  vocabSize: number,
): Proposals {
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
  return { match, confidence };
}

function columnsOf(logits: Float32Array, tokens: Int32Array): Float32Array {
  const columns = new Float32Array(tokens.length);
  for (let i = 0; i < tokens.length; i++) columns[i] = logits[tokens[i]!]!;
  return columns;
}
