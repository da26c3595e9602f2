import type { Coupling, DraftChoice } from '../../decoding/coupling.js';
import { builtInHead, type Head, tokenOf, withWords } from '../../decoding/head-tokens.js';
import { argmax, exponentials, topProbability } from '../../decoding/sampling/greedy.js';
import type { Engine } from '../../engine/engine.js';
import type { Gates } from '../../engine/gates.js';
import type { ReplayMemories } from './memories.js';
import type { Reference } from './reference.js';

/** What a draft proposes at every place of a reference. */
export interface Proposals {
  /** The tokens, [N]. */
  readonly token: Int32Array;
  /** 1 where that is the target's, [N]. */
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
  /** Prompt and continuation whose places these are. */
  readonly text: Pick<Reference, 'prompt' | 'tokens' | 'position'>;
}

/** What it proposes as a token of a draft that has so many before it. */
export function proposalsAt(record: ReplayRecord, before: number): Proposals {
  return before === 0 ? (record.first ?? record) : record;
}

/**
 * Replays a reference with a draft: one pass, or two with memories, then the choice of a token at every place, as the drafter
 * chooses it.
 * @param engine with gates.
 * @param heads over which words the draft's head may be, each with those of the one before, null for all; the words of the text
 *   join each of them.
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
    proposals(logits, reference, coupling, heads, engine.config.vocabSize);
  const all = proposed(await engine.replay(inputs, gates, memories?.inWindows));
  if (!memories) return all.map((own) => ({ ...own, room, text: reference }));
  const first = proposed(await engine.replay(memories.firstInputs, gates, memories.first));
  return all.map((own, i) => ({ ...own, first: first[i]!, room, text: reference }));
}

/** What a draft proposes with a head that grows with the text. */
interface GrowingHead {
  head: Head;
  choose: DraftChoice;
  readonly made: Proposals;
  /** Room for its logits. */
  row: Float32Array;
}

/** Logits this far below the largest of the widest head (in nats) leave too little of the exponentials that the heads share. */
const SHARED_REACH = 10;

function proposals(
  logits: Float32Array,
  { inputs: { count }, prompt, tokens, position }: Reference,
  coupling: Coupling,
  heads: readonly (Int32Array | null)[],
  vocabSize: number,
): Proposals[] {
  const growing = heads.map((words): GrowingHead => {
    const builtIn = builtInHead(words);
    const head = builtIn && withWords(builtIn, prompt);
    const made = {
      token: new Int32Array(count),
      match: new Uint8Array(count),
      confidence: new Float64Array(count),
    };
    return { head, choose: coupling.draftFrom(head), made, row: new Float32Array(0) };
  });
  // Their exponentials are taken once, of the words of the widest, which has those of all others.
  const widest = growing.at(-1)!;
  const powers = new Float64Array(vocabSize);
  for (let i = 0; i < count; i++) {
    const whole = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
    const rows = growing.map((one) => {
      const wider = one.head && withWords(one.head, [tokens[i]!]);
      if (wider !== one.head) {
        one.head = wider;
        one.choose = coupling.draftFrom(wider);
      }
      if (!one.head) return whole;
      const { tokens: words } = one.head;
      if (one.row.length !== words.length) one.row = new Float32Array(words.length);
      for (let column = 0; column < words.length; column++)
        one.row[column] = whole[words[column]!]!;
      return one.row;
    });
    const widestRow = rows.at(-1)!;
    const most = widestRow[argmax(widestRow, 0, widestRow.length)]!;
    exponentials(whole, most, powers, widest.head?.tokens);
    for (const [h, { head, choose, made }] of growing.entries()) {
      const row = rows[h]!;
      const column = choose(row, position + i + 1, 0);
      const token = tokenOf(head, column);
      made.token[i] = token;
      made.match[i] = token === tokens[i + 1] ? 1 : 0;
      made.confidence[i] =
        row[column]! < most - SHARED_REACH
          ? topProbability(row, 0, row.length, row[column]!)
          : powers[token]! / sumOf(powers, head);
    }
  }
  return growing.map(({ made }) => made);
}

function sumOf(powers: Float64Array, head: Head): number {
  let sum = 0;
  const count = head ? head.tokens.length : powers.length;
  // An iterator would take most of a replay's time.
  for (let i = 0; i < count; i++) sum += powers[head ? head.tokens[i]! : i]!;
  return sum;
}
