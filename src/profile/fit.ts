import { InputError } from '../errors.js';
import type { Profile } from './schema.js';

/** The model and the machine that a profile is about to be used on. */
export interface ProfileTarget {
  readonly weightsHash: string;
  readonly layers: number;
  readonly precision: Profile['precision'];
  readonly threads: number;
  /** CPU model, as `describeEnvironment` gives it. */
  readonly cpu: string;
}

/**
 * Checks that a profile belongs to a model, and compares the circumstances that it was measured in.
 * @param file the profile's file, named in the error.
 * @returns one sentence per circumstance that differs: output stays exact, but the speedup may not be the profile's.
 * @throws InputError when the profile was found on other weights: its mask would mean nothing.
 */
export function checkProfileFits(profile: Profile, target: ProfileTarget, file: string): string[] {
  const { model, precision, provenance } = profile;
  if (model.layers !== target.layers) {
    throw new InputError(
      `${file}: field "model.layers" is ${model.layers}, but the model has ${target.layers} layers; use the model that the profile was found on, or search for this one.`,
    );
  }
  if (model.weights_hash !== target.weightsHash) {
    const origin = model.reference === undefined ? '' : ` (${model.reference})`;
    throw new InputError(
      `${file}: field "model.weights_hash" is that of other weights${origin}; use the model that the profile was found on, or search for this one.`,
    );
  }
  const compared: [string, string | number, string | number][] = [
    ['precision', precision, target.precision],
    ['CPU', provenance.machine.cpu, asRecorded(target.cpu, provenance.machine.cpu)],
    ['thread count', provenance.threads, target.threads],
  ];
  return compared
    .filter(([, then, now]) => then !== now)
    .map(
      ([what, then, now]) =>
        `The profile was measured with another ${what} (${then}, here ${now}): its speedup may not hold here.`,
    );
}

/** A CPU's name without its instruction sets where the recorded one has none either, as profiles of before. */
function asRecorded(cpu: string, recorded: string): string {
  return cpu.startsWith(`${recorded} (`) ? recorded : cpu;
}
