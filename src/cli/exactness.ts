import type { Engine } from '../engine/engine.js';

/** What the self-check found, and the sentence for stderr where outputs can differ. */
export interface Exactness {
  readonly exact: boolean;
  readonly warnings: readonly string[];
}

/** Runs the self-check, or reads what it found before; progress on stderr, since on a large model it takes a while. */
export async function checkExactness(engine: Engine, quiet: boolean): Promise<Exactness> {
  const { selfCheck } = await import('../engine/self-check.js');
  const { createProgress } = await import('../reporting/progress.js');
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    const { exact, different, passes } = await selfCheck(engine, (done, total) => {
      const label = 'Checking that passes agree bit by bit (once)';
      progress ??= createProgress({ label, total, unit: 'passes', quiet });
      progress.update(done);
    });
    if (exact) return { exact, warnings: [] };
    return {
      exact,
      warnings: [
        `On this machine ${different.length} of ${passes} passes of several tokens differ in bits from passes of one, so outputs can differ from autoregressive ones where two tokens nearly tie.`,
      ],
    };
  } finally {
    progress?.stop();
  }
}
