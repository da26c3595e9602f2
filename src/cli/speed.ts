import type { Precision } from '../graph/quantise.js';
import { busyWarning } from '../measurement/busy.js';
import { bestExpectedSpeedup, fallingPass, measurePassSpeed } from '../measurement/pass-speed.js';
import type { SpeedDocument } from '../reporting/model-document.js';
import { createProgress } from '../reporting/progress.js';
import { checkExactness } from './exactness.js';
import { loadModelWithProgress } from './load.js';

/** Seconds that passes are timed for. */
const SECONDS = 20;
/** Draft acceptances and costs that speedups are told for. */
const ACCEPTANCES = [0.8, 0.9, 0.95];
const COSTS = [0.3, 0.4, 0.5, 0.6];

/** How to load the model that is timed. */
interface SpeedOptions {
  readonly precision: Precision | undefined;
  readonly threads: number | undefined;
  readonly quiet: boolean;
  /** Told on stderr. */
  readonly notice: (text: string) => void;
}

/** Loads a model and times its passes, with progress on stderr. */
export async function speedOf(
  ref: string,
  { precision, threads, quiet, notice }: SpeedOptions,
): Promise<SpeedDocument> {
  const busy = await busyWarning();
  if (busy !== undefined) notice(busy);
  const model = await loadModelWithProgress({
    ...{ model: ref, precision, threads, quiet },
    ...{ device: 'cpu', offline: false },
  });
  const { engine } = model;
  const progress = createProgress({ label: 'Timing passes', total: 100, unit: '%', quiet });
  try {
    const speed = await measurePassSpeed(engine, SECONDS, (share) =>
      progress.update(Math.floor(100 * share)),
    );
    const { exact } = await checkExactness(engine, quiet);
    const best = bestExpectedSpeedup(speed, 1, speed.cFloor);
    const costs = COSTS.filter((c) => c > speed.cFloor);
    return {
      precision: engine.model.precision,
      threads: engine.threads,
      context: speed.context,
      bit_exact: exact,
      target_pass_seconds: speed.targetSeconds,
      verify: speed.verify.map(({ tokens, v }) => ({ tokens, v })),
      v_rises: fallingPass(speed.verify) === null,
      c_floor: speed.cFloor,
      c_without_attention: speed.cWithoutAttention,
      c_without_mlp: speed.cWithoutMlp,
      best_possible: { speedup: best.speedup, draft_length: best.draftLength },
      expected: ACCEPTANCES.flatMap((acceptance) =>
        costs.map((c) => {
          return { acceptance, c, speedup: bestExpectedSpeedup(speed, acceptance, c).speedup };
        }),
      ),
    };
  } finally {
    progress.stop();
    await model.close();
  }
}
