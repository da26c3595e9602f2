import { basename } from 'node:path';
import { InputError } from '../errors.js';
import type { ComparedEvaluation } from './compared-file.js';
import { BASELINE } from './run.js';

/** A method as the rows of an evaluation name it. */
export interface MethodName {
  readonly method: string;
  readonly profile: string | null;
}

/** A method of one evaluation and what it is held against in another. */
export interface MethodPair {
  readonly first: MethodName;
  readonly second: MethodName;
}

type Side = Pick<ComparedEvaluation, 'path' | 'evaluation'>;

/**
 * The methods that are held against each other: those that were asked for, else all that both have, with the same profile or with
 * the only one on each side.
 * @param asked METHOD or METHOD:PROFILE; one for both sides, or one for each; none for all.
 * @throws InputError when a side has not what was asked for, or has it with several profiles.
 */
export function methodPairs(first: Side, second: Side, asked: readonly string[]): MethodPair[] {
  if (asked.length > 2)
    throw new InputError(
      `--method has ${asked.length} names: give one for both evaluations, or one for each.`,
    );
  const [of, over = of] = asked;
  if (of !== undefined && over !== undefined)
    return [{ first: askedMethod(first, of), second: askedMethod(second, over) }];
  const firsts = methodsOf(first);
  const seconds = methodsOf(second);
  return firsts.flatMap((one) => {
    const others = seconds.filter(({ method }) => method === one.method);
    const isAlone = firsts.filter(({ method }) => method === one.method).length === 1;
    const same = others.find(({ profile }) => profile === one.profile);
    const other = same ?? (isAlone && others.length === 1 ? others[0] : undefined);
    return other ? [{ first: one, second: other }] : [];
  });
}

/** Methods of either evaluation that no pair has, as `--method` names them. */
export function unpairedMethods(
  first: Side,
  second: Side,
  pairs: readonly MethodPair[],
): { readonly first: readonly string[]; readonly second: readonly string[] } {
  const missing = (side: Side, paired: readonly MethodName[]) =>
    methodsOf(side)
      .filter((one) => !paired.some((other) => methodKey(other) === methodKey(one)))
      .map(spelled);
  return {
    first: missing(
      first,
      pairs.map((pair) => pair.first),
    ),
    second: missing(
      second,
      pairs.map((pair) => pair.second),
    ),
  };
}

/** Tells methods of one evaluation apart. */
export function methodKey({ method, profile }: MethodName): string {
  return JSON.stringify([method, profile]);
}

/** Whether it is what speedups are over. */
export function isBaseline({ method }: MethodName): boolean {
  return method === BASELINE.name;
}

function methodsOf({ evaluation: { rows } }: Side): MethodName[] {
  const byKey = new Map(
    rows.map(({ method, profile }) => [methodKey({ method, profile }), { method, profile }]),
  );
  return [...byKey.values()];
}

function askedMethod(side: Side, asked: string): MethodName {
  const all = methodsOf(side);
  const found = all.filter(
    ({ method, profile }) =>
      asked === method ||
      (profile !== null &&
        [profile, basename(profile)].some((file) => asked === `${method}:${file}`)),
  );
  const [one] = found;
  if (one === undefined)
    throw new InputError(
      `--method ${asked}: ${side.path} has no such method; it has ${all.map(spelled).join(', ')}.`,
    );
  if (found.length > 1)
    throw new InputError(
      `--method ${asked}: ${side.path} has it with several profiles; name one of ${found.map(spelled).join(', ')}.`,
    );
  return one;
}

function spelled({ method, profile }: MethodName): string {
  return profile === null ? method : `${method}:${profile}`;
}
