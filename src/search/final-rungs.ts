/** The rungs of a search that decode for real: a race of finalists on the calibration prompts, and the held-out measurement. */
import { median } from 'simple-statistics';
import { rankCorrelation } from '../measurement/statistics.js';
import type { Finalist } from './candidate.js';
import { race } from './race.js';
import type { RankedFinalist, RunContext } from './request.js';
import { writeRule } from './storage/events.js';
import { journalFigures, type Measurement, measure } from './trial.js';

/** How the race ended. */
export interface RaceResult {
  readonly winner: Finalist;
  readonly measurement: Measurement;
  /** What the cheaper rung predicted of the winner, corrected by how far it was off for the others. */
  readonly predictedSpeedup: number | null;
  /** Of predictions and measurements of the finalists that ran to the end; null with fewer than three. */
  readonly rankCorrelation: number | null;
}

/** Finalists decode the calibration prompts side by side; the fastest wins. */
export async function runRace(
  { model, request, report }: RunContext,
  finalists: readonly RankedFinalist[],
): Promise<RaceResult> {
  const { calibration, settings, signal, study } = request;
  const measured = await race(
    model,
    calibration,
    finalists.map(({ finalist }) => finalist),
    { settings, signal, onProgress: (done, total) => report('finalists', done, total) },
  );
  // Who dropped out was measured on fewer prompts: only those that ran to the end are compared.
  const longest = Math.max(...measured.map(({ pooled }) => pooled.prompts));
  const finished = finalists.flatMap(({ finalist, predictedSpeedup: predicted }, i) => {
    const measurement = measured[i]!;
    const { prompts, speedup } = measurement.pooled;
    return prompts === longest ? [{ finalist, predicted, measurement, speedup: speedup ?? 0 }] : [];
  });
  const winner = finished.reduce((a, b) => (b.speedup > a.speedup ? b : a));
  const pairs = finished.flatMap((one) =>
    one.predicted === null ? [] : [{ ...one, predicted: one.predicted }],
  );
  const others = pairs
    .filter(({ finalist }) => finalist !== winner.finalist)
    .map(({ predicted, speedup }) => speedup / predicted);
  await study.append({
    type: 'note',
    key: 'finalists',
    value: finalists.map(({ finalist, predictedSpeedup: predicted }, i) => ({
      ...noteOf(finalist, measured[i]!),
      ...(predicted === null ? {} : { predicted_speedup: predicted }),
    })),
  });
  return {
    winner: winner.finalist,
    measurement: winner.measurement,
    predictedSpeedup:
      winner.predicted === null
        ? null
        : winner.predicted * (others.length > 0 ? median(others) : 1),
    rankCorrelation:
      rankCorrelation(
        pairs.map(({ predicted }) => predicted),
        pairs.map(({ speedup }) => speedup),
      ) ?? null,
  };
}

/** Measures the winner on prompts that no earlier rung saw. */
export async function runHoldout(
  { model, request, report }: RunContext,
  winner: Finalist,
): Promise<Measurement> {
  const { holdout, settings, signal, study } = request;
  const onProgress = (done: number, total: number) => report('holdout', done, total);
  const [confirmed] = (await measure(model, holdout, [winner], {
    settings,
    signal,
    onProgress,
  })) as [Measurement];
  await study.append({ type: 'note', key: 'holdout', value: noteOf(winner, confirmed) });
  return confirmed;
}

function noteOf({ mask, draft }: Finalist, measurement: Measurement) {
  const { speedup, speedup_ci95, prompts } = measurement.pooled;
  return {
    mask: mask.join(''),
    ...writeRule(draft),
    speedup,
    speedup_ci95: speedup_ci95 as [number, number] | null,
    prompts,
    ...journalFigures(measurement),
  };
}
