/** What samplers.ts writes: one row for each sampler and part, figures of the search and of held-out prompts side by side. */
import { mean } from 'simple-statistics';
import { BASELINE, type NamedMethod } from '../../src/evaluation/run.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { finalistMethod } from '../../src/search/trial.js';
import { type HoldoutTimes, pairedRatio } from './samplers-holdout.js';
import type { Run } from './samplers-run.js';

/** Runs of one sampler that differ in the seed alone. */
export interface Group {
  readonly name: string;
  readonly runs: readonly Run[];
}

/** A line of the table; the held-out figures are null where the group was not measured. */
export interface GroupRow {
  readonly group: string;
  readonly seeds: number;
  readonly trials: number;
  readonly seconds: number;
  readonly seconds_to_winner: number;
  readonly best_score: number;
  readonly holdout_speedup: number | null;
  readonly holdout_speedup_ci95: readonly [number, number] | null;
  /** Against the reference group, on the same prompts: above 1 this one is faster. */
  readonly ratio: number | null;
  readonly ratio_ci95: readonly [number, number] | null;
}

/** Groups of runs: by part, fidelity and sampler. */
export function groupsOf(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const name = `${run.sampler} ${run.part === 'paper' ? 'paper' : run.fidelity}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  return [...groups].map(([name, own]) => ({ name, runs: own }));
}

/** The final of a run as a method of an evaluation; runs that found the same share one. */
export function finalMethods(runs: readonly Run[]): NamedMethod[] {
  const methods = new Map<string, NamedMethod>();
  for (const run of runs) {
    methods.set(finalName(run), { name: finalName(run), method: finalistMethod(run.final) });
  }
  return [...methods.values()];
}

function finalName({ final: { mask, draft } }: Run): string {
  return `${mask.join('')} ${draft.exit} ${draft.draftLength} ${draft.threshold}`;
}

/** The group that others are held against: the paper's way, else what is nearest to it. */
export function referenceGroup(groups: readonly Group[]): Group | undefined {
  const names = ['relaxed-gp paper', 'relaxed-gp decode', 'relaxed-gp ladder'];
  return names.flatMap((name) => groups.find((group) => group.name === name) ?? [])[0];
}

/** Rows of all groups, and of further methods (whole searches) that were measured beside them. */
export function tableRows(
  groups: readonly Group[],
  times: HoldoutTimes,
  others: readonly NamedMethod[],
): GroupRow[] {
  const measured = new Set([...times.values()].flatMap((seconds) => Object.keys(seconds)));
  const finals = (group: Group) => group.runs.map(finalName).filter((name) => measured.has(name));
  const reference = referenceGroup(groups);
  const held = (names: readonly string[]) => {
    if (names.length === 0 || times.size === 0) return none;
    const speedup = pairedRatio(times, [BASELINE.name], names);
    const against = reference ? finals(reference) : [];
    const ratio = against.length > 0 ? pairedRatio(times, against, names) : null;
    return {
      holdout_speedup: speedup.ratio,
      holdout_speedup_ci95: speedup.ci95,
      ratio: ratio?.ratio ?? null,
      ratio_ci95: ratio?.ci95 ?? null,
    };
  };
  return [
    ...groups.map(({ name, runs }) => ({
      group: name,
      seeds: runs.length,
      trials: mean(runs.map(({ curve }) => curve.length)),
      seconds: mean(runs.map(({ curve }) => curve.at(-1)!.seconds)),
      seconds_to_winner: mean(runs.map(({ curve, finalTrial }) => curve[finalTrial]!.seconds)),
      best_score: mean(runs.map(({ curve }) => curve.at(-1)!.best)),
      ...held(finals({ name, runs })),
    })),
    ...others.map(({ name }) => ({
      ...{ group: name, seeds: 1, trials: 0, seconds: 0, seconds_to_winner: 0, best_score: 0 },
      ...held([name]),
    })),
  ];
}

const none = {
  holdout_speedup: null,
  holdout_speedup_ci95: null,
  ratio: null,
  ratio_ci95: null,
} as const;

/** The table for a reader, with what it is of. */
export function markdownReport(rows: readonly GroupRow[], ran: string, reference: string): string {
  const interval = (ends: readonly [number, number] | null) =>
    ends && `${ends[0].toFixed(3)} to ${ends[1].toFixed(3)}`;
  const table = toMarkdown(
    [
      { key: 'group', title: 'sampler and fidelity' },
      { key: 'seeds' },
      { key: 'trials' },
      { key: 'seconds' },
      { key: 'winner', title: 'seconds to its winner' },
      { key: 'best', title: 'best score' },
      { key: 'speedup', title: 'held-out speedup' },
      { key: 'speedup_interval', title: '95%' },
      { key: 'ratio', title: `ratio to ${reference}` },
      { key: 'ratio_interval', title: '95%' },
    ],
    rows.map((row) => ({
      group: row.group,
      ...(row.trials > 0
        ? {
            seeds: row.seeds,
            trials: Math.round(row.trials),
            seconds: Math.round(row.seconds * 10) / 10,
            winner: Math.round(row.seconds_to_winner * 10) / 10,
            best: row.best_score.toFixed(3),
          }
        : {}),
      speedup: row.holdout_speedup?.toFixed(3),
      speedup_interval: interval(row.holdout_speedup_ci95),
      ratio: row.ratio?.toFixed(3),
      ratio_interval: interval(row.ratio_ci95),
    })),
  );
  return `# Samplers at equal cost\n\n${ran}\n\n${table}`;
}
