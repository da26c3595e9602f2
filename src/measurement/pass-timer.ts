/**
 * Times kinds of passes in turns: a stretch of one kind, then of the next, round after round, so that whatever else the machine
 * does meets all kinds alike. The first passes of a stretch are slower, as caches and threads still belong to the kind before:
 * they are run and not counted. A round that other processes disturbed is timed again, a few times at most.
 */
import { isBusy, watchOthers } from './busy.js';

/** Rounds that are timed again in all, at most: for a machine that stays busy nobody waits. */
export const mostRepeats = 8;

/** Runs some passes of a kind, one after the other, and tells of each in order what was timed. */
export type Stretch<T> = () => Promise<readonly T[]>;

/** How long timing goes on, and what counts. */
export interface TurnOptions {
  /** Passes at the beginning of a stretch of so many that are not counted. @param kind place among the stretches. */
  readonly settling: (passes: number, kind: number) => number;
  /** Asked after every round that counts; `rounds` do. */
  readonly goesOn: (rounds: number) => boolean;
  /** Starts to watch what share of the CPU other processes take; default: {@link watchOthers}. */
  readonly watch?: typeof watchOthers;
}

/**
 * Stretches of all kinds in turn.
 * @param stretches one of each kind, in the order of the turns; called once in every round, in those too that are timed again.
 * @returns what counted, by round and kind: [rounds][kinds][passes].
 */
export async function timeInTurns<T>(
  stretches: readonly Stretch<T>[],
  { settling, goesOn, watch = watchOthers }: TurnOptions,
): Promise<T[][][]> {
  const rounds: T[][][] = [];
  let repeats = 0;
  do {
    let isDisturbed: boolean;
    let round: T[][];
    do {
      const othersSince = watch();
      round = [];
      for (const [kind, stretch] of stretches.entries()) {
        const passes = await stretch();
        round.push(passes.slice(settling(passes.length, kind)));
      }
      isDisturbed = isBusy(othersSince());
    } while (isDisturbed && repeats++ < mostRepeats);
    rounds.push(round);
  } while (goesOn(rounds.length));
  return rounds;
}

/** How long a stretch is: at least so many passes and so long, untimed ones included. */
export interface StretchLength {
  readonly passes: number;
  readonly milliseconds?: number;
}

/**
 * A stretch of the same pass over and over.
 * @param before what runs, untimed, before pass number `done`, counted from 0.
 * @returns times in milliseconds.
 */
export function repeated(
  pass: () => Promise<unknown>,
  { passes, milliseconds = 0 }: StretchLength,
  before: (done: number) => Promise<unknown> | undefined = () => undefined,
): Stretch<number> {
  return async () => {
    const times: number[] = [];
    const begun = performance.now();
    while (times.length < passes || performance.now() - begun < milliseconds) {
      await before(times.length);
      const start = performance.now();
      await pass();
      times.push(performance.now() - start);
    }
    return times;
  };
}

/** All that counted of one kind, of {@link timeInTurns}'s result. */
export function ofKind<T>(rounds: readonly (readonly (readonly T[])[])[], kind: number): T[] {
  return rounds.flatMap((round) => round[kind]!);
}
