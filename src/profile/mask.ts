import { InputError } from '../errors.js';

/** The sublayers that a draft pass leaves out: layer numbers from 0, ascending, without repeats. */
export interface SkipMask {
  /** Layers whose attention sublayer (norm and residual included) is skipped. */
  readonly attention: readonly number[];
  /** Layers whose MLP sublayer is skipped. */
  readonly mlp: readonly number[];
}

/**
 * A mask as bits, the form that a search varies and a session is fed.
 * @param layers L, the number of layers of the model; every layer in the mask is below it.
 * @returns [2L]: bit 2l is the attention sublayer of layer l, bit 2l + 1 its MLP; 1 = skip.
 */
export function maskToBits(mask: SkipMask, layers: number): Uint8Array {
  const bits = new Uint8Array(2 * layers);
  for (const layer of mask.attention) bits[2 * layer] = 1;
  for (const layer of mask.mlp) bits[2 * layer + 1] = 1;
  return bits;
}

/** The inverse of {@link maskToBits}. */
export function bitsToMask(bits: Uint8Array): SkipMask {
  const layers = Array.from({ length: bits.length / 2 }, (_, layer) => layer);
  return {
    attention: layers.filter((layer) => bits[2 * layer] === 1),
    mlp: layers.filter((layer) => bits[2 * layer + 1] === 1),
  };
}

/**
 * Reads a list of layers such as `3,5-7`: numbers and ranges (both ends included), in any order, repeats allowed.
 * @param layers the number of layers of the model.
 * @param flag the flag it was given to, for the error, such as `--skip-mlp`.
 * @returns ascending, without repeats; empty for an empty text.
 * @throws InputError for anything that is not such a list, or a layer that the model does not have.
 */
export function parseLayerList(text: string, layers: number, flag: string): number[] {
  const chosen = new Set<number>();
  for (const part of text.trim() === '' ? [] : text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) {
      throw new InputError(
        `${flag}: "${part.trim()}" is not a layer or a range of layers; write a list such as 3,5-7.`,
      );
    }
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) {
      throw new InputError(
        `${flag}: the range ${part.trim()} runs backwards; write ${last}-${first}.`,
      );
    }
    if (last >= layers) {
      throw new InputError(
        `${flag}: there is no layer ${last}; the model's ${layers} layers are numbered 0 to ${layers - 1}.`,
      );
    }
    for (let layer = first; layer <= last; layer++) chosen.add(layer);
  }
  return [...chosen].sort((a, b) => a - b);
}
