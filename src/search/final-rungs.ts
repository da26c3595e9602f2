/**
 * The rungs of a search that decode for real: a race of ways of decoding on the calibration prompts, and the held-out
 * measurement of its winner. Prompt lookup and the cascade run beside the masks: where they are faster, a profile that drafts
 * with a mask alone would lose to what everybody has.
 */
import { median } from 'simple-statistics';
import type { DraftingName, Method, MethodName } from '../decoding/method.js';
import { isTooFew } from '../measurement/few-prompts.js';
import { hostClass } from '../measurement/host-class.js';
import { rankCorrelation } from '../measurement/statistics.js';
import type { DraftPlan } from '../profile/draft-plan.js';
import { maskToBits } from '../profile/mask.js';
import { writeRule } from '../study/events.js';
import type { OpenStudy } from '../study/storage.js';
import { type Finalist, finalistMethod, mostPromising, type RankedFinalist } from './finalist.js';
import { type KeptDecodes, type KeptRung, keptDecodes } from './kept-decodes.js';
import { journalFigures, type Measurement, measure, namedMethod } from './measure.js';
import { race } from './race.js';
import type { RunContext } from './search-request.js';

/** How the race ended. */
export interface RaceResult {
  /** The fastest way of decoding that drafts. */
  readonly method: DraftingName;
  /** The finalist behind it; where lookup won, that of the fastest one that drafts with a plan. */
  readonly winner: Finalist;
  readonly measurement: Measurement;
  /** What the cheaper rung predicted of the winner, corrected by how far it was off for the others. */
  readonly predictedSpeedup: number | null;
  /** Of predictions and measurements of the finalists that ran to the end; null with fewer than three. */
  readonly rankCorrelation: number | null;
}

/** Ways of decoding with the finalists decode the calibration prompts side by side; the fastest wins. */
export async function runRace(
  { model, request, report }: RunContext,
  finalists: readonly RankedFinalist[],
): Promise<RaceResult> {
  const { calibration, settings, signal, study } = request;
  const entrants = entrantsOf(finalists);
  const methods = entrants.map(({ name, finalist }) => finalistMethod(finalist, name));
  const kept = keptOf(study, { name: 'race', prompts: calibration, methods, settings });
  const onProgress = (done: number, total: number) => report('finalists', done, total);
  const measured = await race(model, calibration, methods, { settings, kept, signal, onProgress });
  await study.append({
    type: 'note',
    key: 'finalists',
    value: entrants.map(({ name, finalist, predictedSpeedup }, i) => ({
      ...noteOf(name, finalist, measured[i]!, model.engine.config.layers),
      ...(predictedSpeedup === null ? {} : { predicted_speedup: predictedSpeedup }),
    })),
  });
  // Who dropped out was measured on fewer prompts: only those that ran to the end are compared.
  const longest = Math.max(...measured.map(({ pooled }) => pooled.prompts));
  const ranked = entrants
    .map((entrant, i) => ({ ...entrant, measurement: measured[i]! }))
    .map((entrant) => ({ ...entrant, speedup: entrant.measurement.pooled.speedup ?? 0 }))
    .sort((a, b) => b.speedup - a.speedup);
  const finished = ranked.filter(({ measurement }) => measurement.pooled.prompts === longest);
  const [winner] = finished as [(typeof finished)[number]];
  const { finalist } = winner.name === 'lookup' ? fastestWithMask(finished, ranked) : winner;
  const pairs = finished.flatMap((one) =>
    one.predictedSpeedup === null ? [] : [{ ...one, predicted: one.predictedSpeedup }],
  );
  const others = pairs
    .filter((one) => one.finalist !== finalist)
    .map(({ predicted, speedup }) => speedup / predicted);
  return {
    method: winner.name,
    winner: finalist,
    measurement: winner.measurement,
    predictedSpeedup:
      winner.predictedSpeedup === null
        ? null
        : winner.predictedSpeedup * (others.length > 0 ? median(others) : 1),
    rankCorrelation:
      rankCorrelation(
        pairs.map(({ predicted }) => predicted),
        pairs.map(({ speedup }) => speedup),
      ) ?? null,
  };
}

/** The generations that the study has of a rung, on this kind of machine. */
function keptOf(
  study: OpenStudy,
  { methods, ...rung }: Omit<KeptRung, 'methods' | 'host'> & { methods: readonly Method[] },
): KeptDecodes {
  return keptDecodes(study, { ...rung, methods: methods.map(namedMethod), host: hostClass() });
}

/** The finalists, and with what is known of the most promising the cascade, where it is not among them, and lookup. */
function entrantsOf(finalists: readonly RankedFinalist[]): RankedFinalist[] {
  const { finalist } = finalists.reduce(mostPromising);
  const added = (name: DraftingName): RankedFinalist => {
    return { name, finalist, predictedSpeedup: null };
  };
  const hasCascade = finalists.some(({ name }) => name === 'cascade');
  return [...finalists, ...(hasCascade ? [] : [added('cascade')]), added('lookup')];
}

/** Of those that ran to the end, else of those that ran the longest. */
function fastestWithMask<T extends RankedFinalist>(
  finished: readonly T[],
  ranked: readonly T[],
): T {
  const drafts = ({ name }: T) => name !== 'lookup';
  return finished.find(drafts) ?? ranked.find(drafts)!;
}

/** The winner on prompts that no earlier rung saw. */
export interface HoldoutResult {
  readonly measurement: Measurement;
  /** What to decode with: the winner where it is faster than autoregressive decoding, else that. */
  readonly chosen: MethodName;
  /** Prompts in the midst of which the measurement was interrupted: their methods were timed in different runs. */
  readonly interruptedPrompts: number;
}

/** Whether a method is faster than autoregressive decoding, on prompts enough to say so. */
function isGain({ pooled }: Measurement): boolean {
  return pooled.verdict === 'faster' && !isTooFew(pooled.prompts);
}

/** Measures the winner on prompts that no earlier rung saw. */
export async function runHoldout(
  { model, request, report }: RunContext,
  { method: name, winner }: Pick<RaceResult, 'method' | 'winner'>,
): Promise<HoldoutResult> {
  const { holdout, settings, signal, study } = request;
  const method: Method = finalistMethod(winner, name);
  const onProgress = (done: number, total: number) => report('holdout', done, total);
  const methods = [method];
  const kept = keptOf(study, { name: 'holdout', prompts: holdout, methods, settings });
  const options = { settings, kept, signal, onProgress };
  const [measurement] = (await measure(model, holdout, methods, options)) as [Measurement];
  await study.append({
    type: 'note',
    key: 'holdout',
    value: noteOf(name, winner, measurement, model.engine.config.layers),
  });
  return {
    measurement,
    chosen: isGain(measurement) ? name : 'autoregressive',
    interruptedPrompts: kept.interrupted(),
  };
}

function noteOf(
  name: DraftingName,
  { plan, draft }: Finalist,
  measurement: Measurement,
  layers: number,
) {
  const { speedup, speedup_ci95, prompts } = measurement.pooled;
  return {
    method: name,
    mask: maskToBits(plan.mask, layers).join(''),
    ...notePlan(plan),
    ...writeRule(draft),
    speedup,
    speedup_ci95: speedup_ci95 as [number, number] | null,
    prompts,
    ...journalFigures(measurement),
  };
}

/** What a plan has beside its mask, in a note. */
function notePlan({ bridges, words }: DraftPlan) {
  return {
    ...(bridges.length > 0 && { bridges: bridges.map(({ from, to }) => [from, to]) }),
    ...(words && { head_words: words.length }),
  };
}
