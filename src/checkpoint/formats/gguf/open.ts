import { type Checkpoint, createCheckpoint } from '../../checkpoint.js';
import { roleFinder, type TensorRole, tensorName } from '../../families/tensor-names.js';
import type { ModelConfig } from '../../model-config.js';
import type { TensorInfo } from '../../tensor-info.js';
import { ggufConfig } from './config.js';
import { openGgufHeader } from './open-header.js';

/**
 * Opens a GGUF file: its metadata as a configuration, and its tensors, the rows of q and k marked as interleaved where llama.cpp's
 * converter makes them so. Reads no weights.
 * @throws InputError when the file is damaged, of another architecture, or a field is missing or out of its limits
 */
export function openGguf(file: string): Checkpoint {
  const header = openGgufHeader(file);
  const { config, family, gguf } = ggufConfig(header);
  const roleOf = roleFinder(gguf.names);
  const tensors = new Map<string, TensorInfo>();
  const identity = new Map<string, TensorInfo>();
  for (const [name, { type, ...place }] of header.tensors) {
    const role = roleOf(name);
    const heads = gguf.interleaved ? rotatedHeads(role, config) : undefined;
    const tensor = {
      ...{ name, dtype: type, file, ...place },
      ...(heads === undefined ? {} : { interleavedHeads: heads }),
    };
    tensors.set(name, tensor);
    // What has no counterpart keeps its name: nothing asks for it.
    identity.set((role && tensorName(family.names, role)) ?? name, tensor);
  }
  return createCheckpoint({
    ...{ directory: file, config, names: gguf.names, tensors, identity },
    files: [file],
  });
}

/** Heads that a tensor's rows belong to, of those that are rotated. */
function rotatedHeads(role: TensorRole | undefined, config: ModelConfig): number | undefined {
  if (role?.part === 'q') return config.heads;
  return role?.part === 'k' ? config.kvHeads : undefined;
}
