import type { Family, GgufForm } from './family.js';
import { gemma } from './gemma.js';
import { gemma2 } from './gemma2.js';
import { gemma3, gemma3WithImages } from './gemma3.js';
import { granite } from './granite.js';
import { llama } from './llama.js';
import { whatIsMissing } from './missing.js';
import { mistral } from './mistral.js';
import { olmo2 } from './olmo2.js';
import { phi3 } from './phi3.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';
import { smollm3 } from './smollm3.js';

/** Every family that can be run; a new one is a module beside this one and a line here. */
export const families: readonly Family[] = [
  ...[llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3, gemma3WithImages],
  ...[phi3, olmo2, granite, smollm3],
];

/**
 * The family of a `model_type` of config.json.
 * @param fail throws the error of the field
 */
export function familyOfType(modelType: string, fail: (what: string) => never): Family {
  const types = families.map((family) => family.modelType);
  return (
    families.find((family) => family.modelType === modelType) ??
    fail(
      `model_type "${modelType}" is not supported${whatIsMissing(modelType)}; supported: ${types.join(', ')}`,
    )
  );
}

/**
 * The family of a GGUF file's `general.architecture`.
 * @param fail throws the error of the field
 */
export function familyOfArchitecture(
  architecture: string,
  fail: (what: string) => never,
): { readonly family: Family; readonly gguf: GgufForm } {
  const known = families.flatMap((family) =>
    family.gguf === null ? [] : [{ family, gguf: family.gguf }],
  );
  const names = known.map(({ gguf }) => gguf.architecture);
  return (
    known.find(({ gguf }) => gguf.architecture === architecture) ??
    fail(
      `general.architecture "${architecture}" is not supported${whatIsMissing(architecture)}; supported: ${names.join(', ')}`,
    )
  );
}

/** The family that a configuration was read by. */
export function familyOf({ modelType }: { readonly modelType: string }): Family {
  return familyOfType(modelType, (what) => {
    throw new RangeError(what);
  });
}
