import type { Model } from '../engine/load-model.js';
import type { Precision } from '../graph/quantise.js';
import type { Progress } from '../reporting/progress.js';

/** Values of `modelFlags`, and -q. */
export interface ModelFlags {
  readonly model: string;
  readonly precision: Precision;
  readonly threads?: number | undefined;
  readonly device: string;
  readonly offline: boolean;
  readonly quiet: boolean;
}

/**
 * Loads the model that the flags name. The first time it is met it is hashed and compiled, and progress on stderr says so.
 * @throws InputError as `loadModel` does.
 */
export async function loadModelWithProgress(flags: ModelFlags): Promise<Model> {
  // Read wherever something could be downloaded.
  if (flags.offline) process.env.HF_HUB_OFFLINE = '1';
  const { loadModel } = await import('../engine/load-model.js');
  const { createProgress } = await import('../reporting/progress.js');
  const labels = {
    hashing: `Reading ${flags.model}`,
    compiling: `Compiling ${flags.model} to ${flags.precision} (once)`,
  };
  let shown: { step: string; progress: Progress } | undefined;
  try {
    return await loadModel(flags.model, {
      precision: flags.precision,
      device: flags.device,
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      onProgress: (step, share) => {
        if (shown?.step !== step) {
          shown?.progress.stop();
          const { quiet } = flags;
          shown = {
            step,
            progress: createProgress({ label: labels[step], total: 100, unit: '%', quiet }),
          };
        }
        shown.progress.update(Math.floor(100 * share));
      },
    });
  } finally {
    shown?.progress.stop();
  }
}
