import { columnCount, columnOf, type Head, mapColumns } from './head-tokens.js';
import { createFilter, createSurvivors, type Survivors } from './sampling/filter.js';
import { argmax } from './sampling/greedy.js';
import { gumbelToken } from './sampling/gumbel.js';
import { draftToken, targetToken, verifyToken } from './sampling/maximal.js';
import type { SamplingOptions } from './sampling/options.js';

/**
 * How draft and target choose tokens so that they agree often and the output is the target's. `gumbel`
 * gives the same text for a seed with and without speculation; `maximal` accepts a little more and keeps only the
 * distribution. Greedy decoding needs neither.
 */
export type CouplingName = 'gumbel' | 'maximal';

/** No token was proposed at this place. */
export const NONE = -1;

/**
 * Chooses what the draft proposes, from its own logits.
 * @param logits [columns of the draft's head].
 * @param position of the chosen token in the sequence.
 * @param place in the draft, from 0 in every round.
 * @returns the column of the token, which `tokenOf` (head-tokens.ts) makes an id of.
 */
export type DraftChoice = (logits: Float32Array, position: number, place: number) => number;

/** Chooses tokens from logits for one generation. `place` counts the places of a draft from 0 in every round. */
export interface Coupling {
  /** Whether `verify` is always the target's most probable token, so that nothing else of it is needed. */
  readonly isGreedy: boolean;
  /** The choices of a draft whose head has these tokens. */
  draftFrom(head: Head): DraftChoice;
  /** Takes note of a proposed token (an id) that no distribution stands behind (prompt lookup). */
  propose(token: number, place: number): void;
  /**
   * The token (an id) that is emitted at `position`, from the target's logits [vocabulary] at `offset`; it is accepted when
   * it equals the token `proposed`. After the first that differs the round is over.
   */
  verify(
    logits: Float32Array,
    offset: number,
    position: number,
    place: number,
    proposed: number,
  ): number;
}

/** @param longestDraft most tokens in one draft. */
export function createCoupling(
  name: CouplingName,
  sampling: SamplingOptions,
  vocabularySize: number,
  longestDraft: number,
): Coupling {
  if (sampling.temperature === 0) return greedy(vocabularySize);
  return name === 'gumbel'
    ? gumbel(sampling, vocabularySize)
    : maximal(sampling, vocabularySize, longestDraft);
}

function greedy(vocabularySize: number): Coupling {
  return {
    isGreedy: true,
    draftFrom: (head) => {
      const columns = columnCount(head, vocabularySize);
      return (logits) => argmax(logits, 0, columns);
    },
    propose: () => {},
    verify: (logits, offset) => argmax(logits, offset, vocabularySize),
  };
}

function gumbel(sampling: SamplingOptions, vocabularySize: number): Coupling {
  const filter = createFilter(sampling, vocabularySize);
  const survivors = createSurvivors(sampling, vocabularySize);
  return {
    isGreedy: false,
    draftFrom(head) {
      const filterOwn = head ? createFilter(sampling, head.tokens.length) : filter;
      return (logits, position) => {
        filterOwn(logits, 0, survivors);
        // The noise is the token's: the target's own adds the same.
        mapColumns(head, survivors);
        return columnOf(head, gumbelToken(survivors, sampling.seed, position));
      };
    },
    propose: () => {},
    verify(logits, offset, position) {
      filter(logits, offset, survivors);
      return gumbelToken(survivors, sampling.seed, position);
    },
  };
}

function maximal(
  sampling: SamplingOptions,
  vocabularySize: number,
  longestDraft: number,
): Coupling {
  const { seed } = sampling;
  const filter = createFilter(sampling, vocabularySize);
  const target = createSurvivors(sampling, vocabularySize);
  const drafts = Array.from({ length: longestDraft }, () => ({
    survivors: createSurvivors(sampling, vocabularySize),
    draw: 0,
  }));
  // Every random decision has a number of its own: see sampling/maximal.ts.
  let draws = 0;
  return {
    isGreedy: false,
    draftFrom(head) {
      const filterOwn = head ? createFilter(sampling, head.tokens.length) : filter;
      return (logits, _position, place) => {
        const drawn = drafts[place]!;
        filterOwn(logits, 0, drawn.survivors);
        mapColumns(head, drawn.survivors);
        drawn.draw = draws++;
        return columnOf(head, draftToken(drawn.survivors, seed, drawn.draw));
      };
    },
    propose(token, place) {
      const drawn = drafts[place]!;
      pointMass(drawn.survivors, token);
      drawn.draw = draws++;
    },
    verify(logits, offset, _position, place, proposed) {
      filter(logits, offset, target);
      if (proposed === NONE) return targetToken(target, seed, draws++);
      const { survivors, draw } = drafts[place]!;
      return verifyToken(target, survivors, proposed, seed, draw);
    },
  };
}

function pointMass(survivors: Survivors, token: number): void {
  survivors.count = 1;
  survivors.top = 0;
  survivors.ids[0] = token;
  survivors.scores[0] = 0;
  survivors.probabilities[0] = 1;
}
