import type { Engine } from '../../engine/engine.js';
import { ReplayInputs } from '../../engine/replay-inputs.js';
import type { Reference } from '../replay/reference.js';

/**
 * Passes of the full model over the ends of references, whose hidden states bridges are fitted to.
 * @param rows positions at most, shared evenly; two of each reference, where there are, so that one has another before it.
 */
export function statePasses(
  engine: Engine,
  references: readonly Reference[],
  rows: number,
): ReplayInputs[] {
  const each = Math.max(2, Math.floor(rows / references.length));
  return references.map(({ prompt, tokens, inputs: { count }, cache }) => {
    const known = [...prompt, ...tokens.slice(0, count)];
    // The first position of a text is unlike all others and never drafted from.
    const first = Math.max(1, known.length - each);
    return new ReplayInputs(engine.config, cache, {
      tokens: known.slice(first),
      first,
      starts: [first],
    });
  });
}
