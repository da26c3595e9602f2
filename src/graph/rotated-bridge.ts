import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Bridge } from '../profile/draft-plan.js';
import type { Precision } from './quantise.js';
import { type Rotation, rotationOf } from './rotation.js';

/** Which hidden states a bridge is between: those of a model compiled so. */
interface Compiled {
  readonly config: ModelConfig;
  readonly precision: Precision;
}

/** A bridge between the checkpoint's own hidden states, as plans and profiles have it, for those of the compiled model. */
export function compiledBridge(bridge: Bridge, compiled: Compiled): Bridge {
  return rotated(bridge, compiled, (rotation, { weight, memory, bias }) => {
    // x Q has the norm of x, so W becomes Q^T W Q (rotation.ts), and U likewise; w0 is a state.
    for (const map of memory ? [weight, memory] : [weight]) {
      rotation.rows(map);
      rotation.columns(map);
    }
    rotation.rows(bias);
  });
}

/** The way back: a bridge that was fitted to the compiled model's hidden states, as a profile has it. */
export function checkpointBridge(bridge: Bridge, compiled: Compiled): Bridge {
  return rotated(bridge, compiled, (rotation, { weight, memory, bias }) => {
    for (const map of memory ? [weight, memory] : [weight]) {
      rotation.rows(map, 'back');
      rotation.columns(map, 'back');
    }
    rotation.rows(bias, 'back');
  });
}

function rotated(
  bridge: Bridge,
  { config, precision }: Compiled,
  rotate: (rotation: Rotation, copy: Bridge) => void,
): Bridge {
  const rotation = rotationOf(config, precision);
  if (rotation === null) return bridge;
  const { weight, memory, bias } = bridge;
  const copy = {
    ...bridge,
    ...{ weight: weight.slice(), bias: bias.slice() },
    ...(memory && { memory: memory.slice() }),
  };
  rotate(rotation, copy);
  return copy;
}
