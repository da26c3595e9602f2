import type { Door } from '../door.js';
import { pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateJson } from '../mutate-json.js';
import { useCheckpoint } from './checkpoint.js';
import { bytesOf, families, jsonOf } from './seeds.js';

/** config.json and generation_config.json of a checkpoint whose weights are as they should be. */
export function configDoor(): Door {
  const generation = { bos_token_id: 1, eos_token_id: [2, 3], do_sample: true, temperature: 0.6 };
  const seeds = families.map((folder) => ({
    config: jsonOf(folder, 'config.json'),
    bytes: bytesOf(folder, 'config.json'),
    weights: bytesOf(folder, 'model.safetensors'),
  }));
  return {
    name: 'config',
    make(random) {
      const { config, bytes, weights } = pick(random, seeds);
      const donor = pick(random, seeds);
      const files = { 'config.json': bytes, 'model.safetensors': weights };
      const kind = random.integer(10);
      if (kind === 0)
        return { ...files, 'generation_config.json': mutateJson(random, generation, config) };
      const mutated =
        kind === 1
          ? mutateBytes(random, bytes, donor.bytes)
          : mutateJson(random, config, donor.config);
      return { ...files, 'config.json': mutated };
    },
    enter: useCheckpoint,
  };
}
