import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { Precision } from '../graph/quantise.js';
import type { Profile } from '../profile/schema.js';
import type { Progress } from '../reporting/progress.js';

/** Values of `modelFlags`, and -q. */
export interface ModelFlags {
  readonly model?: string | undefined;
  readonly precision?: Precision | undefined;
  readonly threads?: number | undefined;
  readonly device: string;
  readonly offline: boolean;
  readonly quiet: boolean;
}

/** What of a profile says which model to load. */
type ProfileModel = Pick<Profile, 'precision'> & {
  readonly model: Pick<Profile['model'], 'reference'>;
};

/** The model and precision of the flags, else those that a profile was found on, else the bundled model's. */
export function chosenModel(
  { model, precision }: Pick<ModelFlags, 'model' | 'precision'>,
  profile?: ProfileModel,
): { readonly reference: string; readonly precision: Precision } {
  return {
    reference: model ?? profile?.model.reference ?? 'demo',
    precision: precision ?? profile?.precision ?? 'int8',
  };
}

/**
 * Loads the model that the flags name, or a profile ({@link chosenModel}). The first time it is met it is downloaded, hashed and
 * compiled, and progress on stderr says so.
 * @throws InputError as `loadModel` does.
 */
export async function loadModelWithProgress(
  flags: ModelFlags,
  profile?: ProfileModel,
): Promise<Model> {
  const { reference, precision } = chosenModel(flags, profile);
  // Read where something would be downloaded.
  if (flags.offline) process.env.HF_HUB_OFFLINE = '1';
  const { loadModel } = await import('../engine/load-model.js');
  const { obtainWithProgress } = await import('./download.js');
  const { createProgress } = await import('../reporting/progress.js');
  const labels = {
    hashing: `Reading ${reference}`,
    compiling: `Compiling ${reference} to ${precision} (once)`,
  };
  let shown: { step: string; progress: Progress } | undefined;
  try {
    await obtainWithProgress(reference, flags.quiet);
    return await loadModel(reference, {
      precision,
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
  } catch (error) {
    if (error instanceof InputError) error.flag ??= 'model';
    if (!(error instanceof InputError) || flags.model !== undefined || !profile) throw error;
    throw new InputError(`${error.message} The profile names this model; --model names another.`);
  } finally {
    shown?.progress.stop();
  }
}
