import type { RecordedEvaluation } from './results-file.js';

/** What two evaluations differ in beside their figures. */
export interface Circumstance {
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

/** Model, precision, machine, versions, settings and data that are not the same in both. */
export function differingCircumstances(
  first: RecordedEvaluation,
  second: RecordedEvaluation,
): Circumstance[] {
  const ours = circumstancesOf(first);
  const theirs = circumstancesOf(second);
  const isOneModel = ours.get('weights') === theirs.get('weights') && ours.get('weights') !== NONE;
  return [...ours].flatMap(([what, one]) => {
    // A dataset that only one of them has is told by the names.
    const other = theirs.get(what) ?? one;
    // Names of one model may be paths; its weights are told only where names and hashes are known and the names agree.
    const isKnown =
      (what === 'model' && isOneModel) ||
      (what === 'weights' && (first.model !== second.model || one === NONE || other === NONE));
    return one === other || isKnown ? [] : [{ what, first: one, second: other }];
  });
}

const NONE = 'none';

function circumstancesOf(evaluation: RecordedEvaluation): Map<string, string> {
  const { model, precision, settings, environment, datasets } = evaluation;
  const { grid, near_tie_margin: _, ...plain } = settings;
  const { model_hash: weights = NONE } = environment;
  const { cpu, physical_cores, threads, os, node, onnxruntime, sspec } = environment;
  const facts: Readonly<Record<string, string | number>> = {
    model,
    weights: weights.slice(0, 12),
    precision,
    ...{ cpu, physical_cores, threads, os, node, onnxruntime, sspec },
    ...plain,
    grid: grid
      ? `${grid.prompt_tokens?.join(',') ?? 'as they are'} + ${grid.max_new_tokens.join(',')}`
      : NONE,
    datasets: datasets.map(({ name }) => name).join(', '),
  };
  const ofData = datasets.flatMap(
    ({ name, hash, version, prompts, chat_template, system }) =>
      [
        [`number of prompts of ${name}`, String(prompts)],
        [`version of ${name}`, String(version)],
        [`content of ${name}`, hash.slice(0, 12)],
        [`form of ${name}`, chat_template ? 'chat' : 'text to be continued'],
        [`system message of ${name}`, system ?? NONE],
      ] as const,
  );
  return new Map([
    ...Object.entries(facts).map(
      ([what, value]) => [what.replaceAll('_', ' '), String(value)] as const,
    ),
    ...ofData,
  ]);
}
