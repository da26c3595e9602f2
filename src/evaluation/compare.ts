/**
 * Two evaluations, prompt by prompt. Speeds of runs apart also differ by what the machine did; speedups are each over the baseline
 * that ran beside, so their ratio is what tells methods apart.
 */
import { InputError } from '../errors.js';
import { busyReason } from '../measurement/busy.js';
import { profileDifferences } from '../profile/difference.js';
import { differingCircumstances } from './circumstances.js';
import type { ComparedEvaluation } from './compared-file.js';
import {
  type MethodName,
  type MethodPair,
  methodPairs,
  unpairedMethods,
} from './compared-methods.js';
import { commonPrompts, haveSameData } from './compared-prompts.js';
import type { ComparedOrigin, Comparison } from './comparison.js';
import { compareByPrompt } from './prompt-comparison.js';
import { compareByRow } from './row-comparison.js';

/**
 * Compares two evaluations over the prompts that both have; where one has no samples, by the figures of their rows, without intervals.
 * @param asked which methods, see `methodPairs`.
 * @throws InputError when they have no prompt or no method in common.
 */
export function compareEvaluations(
  first: ComparedEvaluation,
  second: ComparedEvaluation,
  asked: readonly string[] = [],
): Comparison {
  const pairs = methodPairs(first, second, asked);
  const compared = compareFigures(first, second, pairs);
  if (compared.rows.length === 0)
    throw new InputError(
      `${first.path} and ${second.path} have no method in common that decoded more than one token of the same prompt; --method X,Y names one of each.`,
    );
  return {
    first: originOf(first),
    second: originOf(second),
    differences: differingCircumstances(first.evaluation, second.evaluation),
    notes: [
      ...compared.notes,
      ...profileNotes(first, second, pairs),
      ...(asked.length === 0 ? unpairedNotes(first, second, pairs) : []),
      ...new Set([first, second].flatMap(stateNotes)),
    ],
    rows: compared.rows,
  };
}

function compareFigures(
  first: ComparedEvaluation,
  second: ComparedEvaluation,
  pairs: readonly MethodPair[],
): Pick<Comparison, 'rows' | 'notes'> {
  const common =
    first.timings &&
    second.timings &&
    commonPrompts({ ...first, timings: first.timings }, { ...second, timings: second.timings });
  const hasPrompts = common
    ? common.prompts.length > 0
    : haveSameData(first.evaluation, second.evaluation);
  if (!hasPrompts)
    throw new InputError(
      `${first.path} and ${second.path} have no prompt in common: evaluate both on the same dataset.`,
    );
  return common ? compareByPrompt(common, pairs) : compareByRow(first, second, pairs);
}

function profileNotes(
  first: ComparedEvaluation,
  second: ComparedEvaluation,
  pairs: readonly MethodPair[],
): string[] {
  const profileOf = ({ evaluation: { profiles } }: ComparedEvaluation, { profile }: MethodName) =>
    profiles.find(({ file }) => file === profile)?.profile;
  const files = pairs.flatMap((pair) => {
    const one = profileOf(first, pair.first);
    const other = profileOf(second, pair.second);
    const isOther = one && other && profileDifferences(one, other).length > 0;
    return isOther && pair.first.profile === pair.second.profile ? (pair.first.profile ?? []) : [];
  });
  return [...new Set(files)].map((file) => `${file} was not the same profile in both.`);
}

function unpairedNotes(
  first: ComparedEvaluation,
  second: ComparedEvaluation,
  pairs: readonly MethodPair[],
): string[] {
  const missing = unpairedMethods(first, second, pairs);
  return (['first', 'second'] as const).flatMap((side) =>
    missing[side].length === 0
      ? []
      : [
          `Without a counterpart in the other, of the ${side}: ${missing[side].join(', ')}; --method X,Y names one of each.`,
        ],
  );
}

function stateNotes({ path, evaluation: { partial, environment } }: ComparedEvaluation): string[] {
  const busy = busyReason(environment);
  return [
    ...(partial ? [`${path} was stopped before its end.`] : []),
    ...(busy === undefined ? [] : [`The machine was busy during ${path}: ${busy}.`]),
  ];
}

function originOf({ path, evaluation }: ComparedEvaluation): ComparedOrigin {
  const { model, precision, environment } = evaluation;
  const { threads, cpu, time } = environment;
  return { path, model, precision, threads, cpu, time };
}
