import { isTooFew, TOO_FEW } from '../measurement/few-prompts.js';
import { holmVerdicts, resamplesFor } from '../measurement/ratio-estimate.js';
import { type RatioCluster, speedRatio, type TimedRun } from '../measurement/speed-ratio.js';
import { isBaseline, type MethodPair, methodKey } from './compared-methods.js';
import type { CommonPrompt, CommonPrompts, PromptTimes } from './compared-prompts.js';
import type { ComparedFigure, Comparison, ComparisonRow } from './comparison.js';
import { BASELINE } from './run.js';
import { POOLED } from './summary.js';

/** Of the resampling only: the same timings give the same interval. */
const SEED = 0;

/**
 * The rows of two evaluations with samples, their notes about prompts.
 * @returns no rows where no prompt in common was decoded by both methods of a pair.
 */
export function compareByPrompt(
  { prompts, first, second, otherText }: CommonPrompts,
  pairs: readonly MethodPair[],
): Pick<Comparison, 'rows' | 'notes'> {
  const names = [...new Set(prompts.map(({ dataset }) => dataset))];
  const groups = names.map((name) => ({
    name,
    prompts: prompts.filter(({ dataset }) => dataset === name),
  }));
  if (groups.length > 1) groups.push({ name: POOLED, prompts: [...prompts] });
  const drafts = groups.flatMap(({ name, prompts }) =>
    pairs.flatMap((pair) => draftRow(name, prompts, pair) ?? []),
  );
  const notes = [
    ...(first !== prompts.length || second !== prompts.length
      ? [
          `${prompts.length} prompts are in common, of ${first} in the first and ${second} in the second; figures are of these alone.`,
        ]
      : []),
    ...(otherText > 0
      ? [`${otherText} of the prompts in common were put to the models as different texts.`]
      : []),
  ];
  return { rows: withEstimates(drafts), notes };
}

/** A row before its intervals, which depend on how many there are. */
interface DraftRow {
  readonly row: Pick<ComparisonRow, 'dataset' | 'first' | 'second' | 'different_lengths'>;
  readonly prompts: readonly TimedPrompt[];
}

/** A prompt, or the turns of a conversation added up, in the runs of two methods and of their baselines. */
interface TimedPrompt {
  readonly cluster: string;
  readonly stratum: string;
  readonly runs: Readonly<Record<RunName, TimedRun>>;
}

const RUNS = ['first', 'firstBaseline', 'second', 'secondBaseline'] as const;
type RunName = (typeof RUNS)[number];

function draftRow(
  dataset: string,
  prompts: readonly CommonPrompt[],
  pair: MethodPair,
): DraftRow | null {
  const baseline = methodKey({ method: BASELINE.name, profile: null });
  const clusters = new Map<string, TimedPrompt>();
  const differing = new Set<string>();
  for (const { cluster, stratum, first, second } of prompts) {
    const times = {
      first: first.get(methodKey(pair.first)),
      firstBaseline: first.get(baseline),
      second: second.get(methodKey(pair.second)),
      secondBaseline: second.get(baseline),
    };
    if (!isDecoded(times)) continue;
    if (times.first.newTokens !== times.second.newTokens) differing.add(cluster);
    const earlier = clusters.get(cluster)?.runs;
    clusters.set(cluster, { cluster, stratum, runs: earlier ? added(earlier, times) : times });
  }
  if (clusters.size === 0) return null;
  const row = { dataset, ...pair, different_lengths: differing.size };
  return { row, prompts: [...clusters.values()] };
}

function isDecoded(
  times: Readonly<Record<RunName, PromptTimes | undefined>>,
): times is Readonly<Record<RunName, PromptTimes>> {
  return RUNS.every((name) => (times[name]?.tokens ?? 0) > 0);
}

function added(a: TimedPrompt['runs'], b: TimedPrompt['runs']): TimedPrompt['runs'] {
  const sum = (name: RunName): TimedRun => ({
    seconds: a[name].seconds + b[name].seconds,
    tokens: a[name].tokens + b[name].tokens,
  });
  return {
    first: sum('first'),
    firstBaseline: sum('firstBaseline'),
    second: sum('second'),
    secondBaseline: sum('secondBaseline'),
  };
}

/** What is above and what is below in the ratios, and in the figures that they are of. */
const SPEED = { above: ['second'], below: ['first'] } as const;
const SPEEDUP = {
  above: ['second', 'firstBaseline'],
  below: ['first', 'secondBaseline'],
} as const;
type Ratio = { readonly above: readonly RunName[]; readonly below: readonly RunName[] };

function withEstimates(drafts: readonly DraftRow[]): ComparisonRow[] {
  const told = drafts.map(({ row, prompts }) => ({
    row,
    prompts,
    ratios: isBaseline(row.first) && isBaseline(row.second) ? [SPEED] : [SPEED, SPEEDUP],
  }));
  const compared = told
    .filter(({ prompts }) => !isTooFew(prompts.length))
    .flatMap(({ prompts, ratios }) => ratios.map((ratio) => ({ prompts, ratio })));
  const resamples = resamplesFor(compared.length);
  const estimates = holmVerdicts(
    compared.map(({ prompts, ratio }) =>
      speedRatio(clustersOf(prompts, ratio), { seed: SEED, resamples }),
    ),
  );
  const figure = (prompts: readonly TimedPrompt[], ratio: Ratio): ComparedFigure => {
    const speed = (name: RunName) => speedOf(prompts, name);
    const isSpeed = ratio === SPEED;
    const first = speed('first') / (isSpeed ? 1 : speed('firstBaseline'));
    const second = speed('second') / (isSpeed ? 1 : speed('secondBaseline'));
    const at = compared.findIndex((one) => one.prompts === prompts && one.ratio === ratio);
    const estimate = estimates[at];
    return {
      ...{ first, second, ratio: estimate?.speedup ?? second / first },
      ratio_ci95: estimate?.ci95 ?? null,
      verdict: estimate?.verdict ?? TOO_FEW,
    };
  };
  return told.map(({ row, prompts, ratios: [speed, speedup] }) => ({
    ...row,
    prompts: prompts.length,
    tokens_per_second: figure(prompts, speed!),
    speedup: speedup ? figure(prompts, speedup) : null,
  }));
}

function clustersOf(prompts: readonly TimedPrompt[], { above, below }: Ratio): RatioCluster[] {
  return prompts.map(({ cluster, stratum, runs }) => ({
    prompt: cluster,
    stratum,
    above: above.map((name) => runs[name]),
    below: below.map((name) => runs[name]),
  }));
}

function speedOf(prompts: readonly TimedPrompt[], name: RunName): number {
  const sum = (of: keyof TimedRun) =>
    prompts.reduce((total, { runs }) => total + runs[name][of], 0);
  return sum('tokens') / sum('seconds');
}
