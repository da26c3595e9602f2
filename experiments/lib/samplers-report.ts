/** What samplers.ts writes: one row for each sampler and part, figures of the search and of held-out prompts side by side. */
import { mean } from 'simple-statistics';
import { BASELINE, type EvaluationResult, type NamedMethod } from '../../src/evaluation/run.js';
import { measuredSpeedup } from '../../src/evaluation/speedup.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { finalistMethod, plainFinalist } from '../../src/search/finalist.js';
import type { Run } from './samplers-run.js';

type Interval = readonly [number, number] | null;

/** A line of the table; the held-out figures are null where the group was not measured. */
export interface GroupRow {
  /** Runs of one sampler that differ in the seed alone. */
  readonly group: string;
  readonly seeds: number;
  readonly trials: number;
  readonly seconds: number;
  readonly seconds_to_winner: number;
  readonly best_score: number;
  readonly holdout_speedup: number | null;
  readonly holdout_speedup_ci95: Interval;
  /** Against the reference group, on the same prompts: above 1 this one is faster. */
  readonly ratio: number | null;
  readonly ratio_ci95: Interval;
}

/** The final of a run as a method of an evaluation; runs that found the same share one. */
export function finalMethods(runs: readonly Run[]): NamedMethod[] {
  const methods = runs.map((run) => ({
    name: finalName(run),
    method: finalistMethod(plainFinalist(run.final)),
  }));
  return [...new Map(methods.map((method) => [method.name, method])).values()];
}

function finalName({ final: { mask, draft } }: Run): string {
  return `${mask.join('')} ${draft.exit} ${draft.draftLength} ${draft.threshold}`;
}

/** What others are held against: the paper's way, else what is nearest to it. */
const references = ['relaxed-gp paper', 'relaxed-gp decode', 'relaxed-gp ladder'];

/**
 * Rows of all groups of runs, and of further methods (whole searches) that were measured beside them.
 * @param measured the evaluation on held-out prompts, where there is one.
 */
export function tableRows(
  runs: readonly Run[],
  others: readonly NamedMethod[],
  measured: EvaluationResult | null,
): { readonly rows: readonly GroupRow[]; readonly reference: string | undefined } {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const name = `${run.sampler} ${run.part === 'paper' ? 'paper' : run.fidelity}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const known = new Set(measured?.methods.map(({ name }) => name));
  const finals = (own: readonly Run[]) => own.map(finalName).filter((name) => known.has(name));
  const reference = references.find((name) => groups.has(name));
  const against = reference === undefined ? [] : finals(groups.get(reference)!);
  const held = (names: readonly string[]) => {
    const speedup = measured && ratioOf(measured, [BASELINE.name], names);
    const ratio = measured && ratioOf(measured, against, names);
    return {
      ...{ holdout_speedup: speedup?.speedup ?? null, holdout_speedup_ci95: speedup?.ci95 ?? null },
      ...{ ratio: ratio?.speedup ?? null, ratio_ci95: ratio?.ci95 ?? null },
    };
  };
  const rows = [...groups].map(([group, own]) => ({
    group,
    seeds: own.length,
    trials: mean(own.map(({ curve }) => curve.length)),
    seconds: mean(own.map(({ curve }) => curve.at(-1)!.seconds)),
    seconds_to_winner: mean(own.map(({ curve, finalTrial }) => curve[finalTrial]!.seconds)),
    best_score: mean(own.map(({ curve }) => curve.at(-1)!.best)),
    ...held(finals(own)),
  }));
  const none = { seeds: 1, trials: 0, seconds: 0, seconds_to_winner: 0, best_score: 0 };
  const searches = others.map(({ name }) => ({ group: name, ...none, ...held([name]) }));
  return { rows: [...rows, ...searches], reference };
}

/**
 * Time of some methods over that of others on the same prompts. Method i of one list is paired with method i of the other (a
 * list of one with all); pairs count as repetitions.
 */
function ratioOf(
  { samples, prompts, ...rest }: EvaluationResult,
  reference: readonly string[],
  names: readonly string[],
) {
  if (reference.length === 0 || names.length === 0) return null;
  const as = (method: NamedMethod, listed: readonly string[]) =>
    names.flatMap((_, repetition) =>
      samples
        .filter((sample) => sample.method.name === listed[repetition % listed.length])
        .map((sample) => ({ ...sample, method, repetition })),
    );
  const [other, own] = [{ ...BASELINE }, { ...BASELINE }];
  const paired = [...as(other, reference), ...as(own, names)];
  return measuredSpeedup(
    { ...rest, prompts, methods: [other, own], samples: paired },
    prompts,
    own,
  );
}

/** The table for a reader, with what it is of. */
export function markdownReport(rows: readonly GroupRow[], ran: string, reference = 'none'): string {
  const interval = (ends: Interval) => ends?.map((end) => end.toFixed(3)).join(' to ');
  const columns = {
    ...{ group: 'sampler and fidelity', seeds: 'seeds', trials: 'trials', seconds: 'seconds' },
    ...{ winner: 'seconds to its winner', best: 'best score' },
    ...{ speedup: 'held-out speedup', speedup_interval: '95%' },
    ...{ ratio: `ratio to ${reference}`, ratio_interval: '95%' },
  };
  const table = toMarkdown(
    Object.entries(columns).map(([key, title]) => ({ key, title })),
    rows.map((row) => ({
      group: row.group,
      ...(row.trials > 0 && {
        ...{ seeds: row.seeds, trials: Math.round(row.trials), best: row.best_score.toFixed(3) },
        seconds: Math.round(row.seconds * 10) / 10,
        winner: Math.round(row.seconds_to_winner * 10) / 10,
      }),
      speedup: row.holdout_speedup?.toFixed(3),
      speedup_interval: interval(row.holdout_speedup_ci95),
      ratio: row.ratio?.toFixed(3),
      ratio_interval: interval(row.ratio_ci95),
    })),
  );
  return `# Samplers at equal cost\n\n${ran}\n\n${table}`;
}
