import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { Precision } from '../graph/quantise.js';
import type { QualityDocument } from '../reporting/model-document.js';

/** Bundled texts that precisions are compared on: a few thousand tokens of stories, help, code and mathematics. */
const TEXTS = 'calibration';

/**
 * Loads a model at several precisions at once and compares their predictions, with progress on stderr.
 * @param precisions fp32 and others that fit the model
 * @throws InputError when the model has no tokenizer
 */
export async function qualityOf(
  ref: string,
  precisions: readonly Precision[],
  { threads, quiet }: { readonly threads: number | undefined; readonly quiet: boolean },
): Promise<QualityDocument> {
  const { loadModelWithProgress } = await import('./load.js');
  const { createProgress } = await import('../reporting/progress.js');
  const { loadDataset } = await import('../datasets/load.js');
  const { measureQuality } = await import('../measurement/quality.js');
  const { hash, prompts } = loadDataset(TEXTS);
  const models: Model[] = [];
  try {
    const others = precisions.filter((precision) => precision !== 'fp32');
    for (const precision of ['fp32', ...others] as const)
      models.push(
        await loadModelWithProgress({
          ...{ model: ref, precision, threads, quiet },
          ...{ device: 'cpu', offline: false },
        }),
      );
    const { tokenizer } = models[0];
    if (tokenizer === null)
      throw new InputError(
        `The model ${ref} has no tokenizer, and precisions are compared on text; use a model that has one.`,
      );
    const texts = prompts.map(({ prompt }) => tokenizer.encodePrompt(prompt));
    const label = 'Comparing precisions';
    const progress = createProgress({ label, total: 100, unit: '%', quiet });
    try {
      const engines = models.map(({ engine }) => engine);
      const measured = await measureQuality(engines, texts, (done, total) =>
        progress.update(Math.floor((100 * done) / total)),
      );
      if (measured === null) throw new InputError(`The texts are no two tokens long for ${ref}.`);
      return {
        ...{ dataset: TEXTS, dataset_hash: hash, tokens: measured.positions },
        precisions: measured.qualities.map(({ precision, perplexity, agreement, divergence }) => ({
          ...{ precision, perplexity },
          ...{ argmax_agreement: agreement, kl_divergence: divergence },
        })),
      };
    } finally {
      progress.stop();
    }
  } finally {
    for (const model of models) await model.close();
  }
}
