import type { Door } from '../door.js';
import { chatTemplateDoor } from './chat-template.js';
import { configDoor } from './config.js';
import { datasetDoor } from './dataset.js';
import { ggufDoor } from './gguf.js';
import { hubDoor } from './hub.js';
import { journalDoor } from './journal.js';
import { profileDoor, skipListsDoor } from './profile.js';
import { resultsDoor } from './results.js';
import { safetensorsDoor } from './safetensors.js';
import { tokenizerDoor } from './tokenizer.js';

/** Every door, by its name; each is made only where it is entered. */
export const doors = {
  safetensors: safetensorsDoor,
  gguf: ggufDoor,
  config: configDoor,
  tokenizer: tokenizerDoor,
  'chat-template': chatTemplateDoor,
  profile: profileDoor,
  'skip-lists': skipListsDoor,
  journal: journalDoor,
  dataset: datasetDoor,
  results: resultsDoor,
  hub: hubDoor,
} as const satisfies Readonly<Record<string, () => Door>>;

export type DoorName = keyof typeof doors;

export const doorNames = Object.keys(doors) as DoorName[];
