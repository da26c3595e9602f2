import { modelTensors } from '../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { planStorage } from '../../src/graph/layout.js';
import type { Precision } from '../../src/graph/quantise.js';
import { matrixBytes } from '../../src/graph/size.js';

/** Bytes of weights that a pass reads from one end to the other: all but tables of rows that are looked up one by one. */
export function passBytes(directory: string, precision: Precision): number {
  const checkpoint = openCheckpoint(directory);
  try {
    const { matrices, layouts } = planStorage(
      checkpoint.config,
      modelTensors(checkpoint),
      precision,
    );
    return [...layouts]
      .filter(
        ([matrix]) =>
          matrix !== matrices.headRows && (matrix !== matrices.embedding || !matrices.head),
      )
      .reduce((sum, [matrix, layout]) => sum + matrixBytes(matrix, layout), 0);
  } finally {
    checkpoint.close();
  }
}
