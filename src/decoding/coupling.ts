import { createFilter, createSurvivors, type Survivors } from './sampling/filter.js';
import { argmax } from './sampling/greedy.js';
import { gumbelToken } from './sampling/gumbel.js';
import { draftToken, targetToken, verifyToken } from './sampling/maximal.js';
import type { SamplingOptions } from './sampling/options.js';

/**
 * How draft and target choose tokens so that they agree often and the output is the target's (DESIGN.md 4). `gumbel`
 * gives the same text for a seed with and without speculation; `maximal` accepts a little more and keeps only the
 * distribution. Greedy decoding needs neither.
 */
export type CouplingName = 'gumbel' | 'maximal';

/** No token was proposed at this place. */
export const NONE = -1;

/** Chooses tokens from logits for one generation. `index` counts the places of a draft from 0 in every round. */
export interface Coupling {
  /** The token that the draft proposes for `position`, from its own logits [vocabulary]. */
  draft(logits: Float32Array, position: number, index: number): number;
  /** Takes note of a proposed token that no distribution stands behind (prompt lookup). */
  propose(token: number, index: number): void;
  /**
   * The token that is emitted at `position`, from the target's logits at `offset`; it is accepted when it equals
   * `proposed`. After the first that differs the round is over.
   */
  verify(
    logits: Float32Array,
    offset: number,
    position: number,
    index: number,
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
    draft: (logits) => argmax(logits, 0, vocabularySize),
    propose: () => {},
    verify: (logits, offset) => argmax(logits, offset, vocabularySize),
  };
}

function gumbel(sampling: SamplingOptions, vocabularySize: number): Coupling {
  const filter = createFilter(sampling, vocabularySize);
  const survivors = createSurvivors(sampling, vocabularySize);
  const choose = (logits: Float32Array, offset: number, position: number) => {
    filter(logits, offset, survivors);
    return gumbelToken(survivors, sampling.seed, position);
  };
  return {
    draft: (logits, position) => choose(logits, 0, position),
    propose: () => {},
    verify: (logits, offset, position) => choose(logits, offset, position),
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
    draft(logits, _position, index) {
      const place = drafts[index]!;
      filter(logits, 0, place.survivors);
      place.draw = draws++;
      return draftToken(place.survivors, seed, place.draw);
    },
    propose(token, index) {
      const place = drafts[index]!;
      pointMass(place.survivors, token);
      place.draw = draws++;
    },
    verify(logits, offset, _position, index, proposed) {
      filter(logits, offset, target);
      if (proposed === NONE) return targetToken(target, seed, draws++);
      const { survivors, draw } = drafts[index]!;
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
