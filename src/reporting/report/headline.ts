import { isTooFew, TOO_FEW } from '../../measurement/few-prompts.js';
import type { Headline } from './section.js';

/** A measured speedup on prompts that the search did not see. */
export interface HeldOutSpeedup {
  /** What was measured, as the subject of a sentence. */
  readonly subject: string;
  readonly speedup: number;
  /** null of too few prompts. */
  readonly interval: readonly [number, number] | null;
  /** null where there is none. */
  readonly verdict: 'faster' | 'slower' | 'not distinguishable from 1.0x' | typeof TOO_FEW | null;
  /** The prompts, such as `40 held-out prompts`. */
  readonly prompts: string;
}

/** Losses are told in the same words and as large as gains. */
export function headline({
  subject,
  speedup,
  interval,
  verdict,
  prompts,
}: HeldOutSpeedup): Headline {
  if (interval === null || verdict === TOO_FEW) {
    const value = `${speedup.toFixed(digitsFor([speedup]))}×`;
    return {
      value,
      tone: 'even',
      sentence: `${subject} ran at ${value} the speed of autoregressive decoding, on ${prompts}: ${TOO_FEW} for an interval or a verdict.`,
    };
  }
  const [low, high] = interval;
  const digits = digitsFor([speedup, low, high]);
  const times = (value: number) => `${value.toFixed(digits)}×`;
  const range = `95% interval ${low.toFixed(digits)} to ${high.toFixed(digits)}`;
  const measured = `${times(speedup)} its speed (${range}), on ${prompts}`;
  const value = times(speedup);
  switch (verdict) {
    case 'faster':
      return {
        value,
        tone: 'better',
        sentence: `${subject} is faster than autoregressive decoding: ${measured}.`,
      };
    case 'slower':
      return {
        value,
        tone: 'worse',
        sentence: `${subject} is slower than autoregressive decoding: ${measured}.`,
      };
    case 'not distinguishable from 1.0x':
      return {
        value,
        tone: 'even',
        sentence: `${subject} is not distinguishable from autoregressive decoding: ${measured}.`,
      };
    case null:
      return {
        value,
        tone: 'even',
        sentence: `${subject} ran at ${measured}; so little allows no verdict.`,
      };
  }
}

/** The verdict that an interval over so many prompts allows. */
export function verdictOf(
  [low, high]: readonly [number, number],
  prompts: number,
): HeldOutSpeedup['verdict'] {
  if (isTooFew(prompts)) return TOO_FEW;
  if (low > 1) return 'faster';
  return high < 1 ? 'slower' : 'not distinguishable from 1.0x';
}

/** Two digits, or three where a value beside 1 would be shown as 1. */
function digitsFor(values: readonly number[]): number {
  return values.some((value) => value !== 1 && value.toFixed(2) === '1.00') ? 3 : 2;
}

/** `1 prompt`, `40 prompts`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
