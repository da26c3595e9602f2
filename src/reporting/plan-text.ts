import { formatNumber } from './format.js';

/** What of a draft plan is told beside its mask. */
export interface PlanParts {
  readonly bridges: number;
  /** Bridges with a memory. */
  readonly memories: number;
  /** Words of the head, null for all. */
  readonly headWords: number | null;
  /** Words of the vocabulary, to compare with. */
  readonly vocabSize?: number;
}

/** `7 bridges (1 with a memory) and a head of 4,096 words`; null where a draft has only its mask. */
export function planParts({ bridges, memories, headWords, vocabSize }: PlanParts): string | null {
  const parts = [];
  if (bridges > 0)
    parts.push(
      `${bridges} ${bridges === 1 ? 'bridge' : 'bridges'}${memoryText(bridges, memories)}`,
    );
  if (headWords !== null) {
    const all = vocabSize === undefined ? '' : ` of ${formatNumber(vocabSize)}`;
    parts.push(`a head of ${formatNumber(headWords)}${all} words`);
  }
  return parts.length > 0 ? parts.join(' and ') : null;
}

function memoryText(bridges: number, memories: number): string {
  if (memories === 0) return '';
  return bridges === 1 ? ' with a memory' : ` (${memories} with a memory)`;
}
