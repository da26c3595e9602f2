import type { Model } from '../engine/load-model.js';
import { type AllTurns, addLaterTurns, laterTurns } from '../evaluation/conversation.js';
import { evaluate, keptCount } from '../evaluation/evaluate.js';
import { BASELINE, type EvaluationRequest, type EvaluationResult } from '../evaluation/run.js';
import { createProgress } from '../reporting/progress.js';
import { interruptible, stoppable } from './interrupt.js';

/** An evaluation's generations, and whether Ctrl-C stopped it: then they are those that had ended. */
export interface Measured {
  readonly result: EvaluationResult;
  readonly interrupted: boolean;
}

/**
 * Decodes the answers that the later turns of conversations follow, with progress on stderr.
 * @throws InterruptedError after Ctrl-C: nothing has been measured yet.
 */
export async function turnsWithProgress(
  model: Model,
  request: EvaluationRequest,
  quiet: boolean,
): Promise<AllTurns> {
  const total = laterTurns(request.prompts);
  if (total === 0) return { prompts: request.prompts, warnings: [] };
  const label = 'Answering the turns before later ones';
  const progress = createProgress({ label, total, unit: 'answers', quiet });
  try {
    return await interruptible((signal) =>
      addLaterTurns(model, { ...request, signal, onProgress: (done) => progress.update(done) }),
    );
  } finally {
    progress.stop();
  }
}

/**
 * Measures, with progress on stderr, up to the end or to Ctrl-C.
 * @throws InterruptedError after Ctrl-C where nothing had been finished.
 */
export async function evaluateWithProgress(
  model: Model,
  request: EvaluationRequest,
  quiet: boolean,
): Promise<Measured> {
  const { prompts, repetitions, warmup, kept } = request;
  const methods = [BASELINE, ...request.methods.filter(({ name }) => name !== BASELINE.name)];
  const total = methods.length * (warmup + prompts.length * repetitions);
  const done = kept ? keptCount(kept, prompts, methods, repetitions) : 0;
  const progress = createProgress({ label: 'Measuring', total, done, unit: 'generations', quiet });
  const onProgress = (done: number) => progress.update(done);
  try {
    return await stoppable((signal) =>
      evaluate(model, { ...request, keepFinished: true, signal, onProgress }),
    );
  } finally {
    progress.stop();
  }
}

/** A sentence on what an evaluation that was stopped has; undefined for one that ran to its end. */
export function stoppedEarly({ planned, methods, samples }: EvaluationResult): string | undefined {
  if (!planned) return undefined;
  const total = methods.length * planned.prompts.length * planned.repetitions;
  return `Interrupted after ${samples.length} of ${total} generations: the figures are of these, and rows that lack some are marked partial.`;
}
