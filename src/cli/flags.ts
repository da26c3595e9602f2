import { Flags } from '@oclif/core';
import { DRAFT_EXITS } from '../decoding/draft-rule.js';
import { METHODS } from '../decoding/method.js';
import { InputError } from '../errors.js';
import { precisions } from '../graph/quantise.js';

/**
 * A flag that takes a whole number from `min` on, up to `max`.
 * @throws InputError (while parsing) naming the flag.
 */
export function integerFlag(name: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  const bound = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return Flags.custom<number>({
    helpValue: 'N',
    parse: async (text) => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
      throw new InputError(`--${name} is "${text}": give a whole number ${bound}.`);
    },
  });
}

/** A flag that takes a number; its range is checked where it is used. */
export function numberFlag(name: string) {
  return Flags.custom<number>({
    helpValue: 'X',
    parse: async (text) => {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isFinite(value)) return value;
      throw new InputError(`--${name} is "${text}": give a number.`);
    },
  });
}

const MODEL = 'MODEL';
const SAMPLING = 'SAMPLING';
const CHAT = 'CHAT';
const DRAFTING = 'DRAFTING';

/** Which model runs, and how. */
export const modelFlags = {
  model: Flags.string({
    helpGroup: MODEL,
    helpValue: 'REF',
    summary:
      'Bundled model "demo", a folder in the Hugging Face layout, a .gguf file, or a Hub id org/name[@rev][/FILE.gguf], downloaded on first use [default: SSPEC_MODEL, the profile\'s, else demo].',
  }),
  precision: Flags.option({
    options: precisions,
    helpGroup: MODEL,
    summary: "Precision of the weights [default: the profile's, else int8].",
  })(),
  threads: integerFlag(
    'threads',
    1,
    1024,
  )({
    helpGroup: MODEL,
    summary: 'Threads of the runtime [default: physical cores].',
  }),
  device: Flags.string({
    default: 'cpu',
    helpGroup: MODEL,
    helpValue: 'NAME',
    summary: 'Execution provider: cpu, or another that onnxruntime-node has here.',
  }),
  offline: Flags.boolean({
    helpGroup: MODEL,
    summary: 'Never ask the network (as HF_HUB_OFFLINE=1).',
  }),
};

export const seedFlag = {
  seed: integerFlag(
    'seed',
    Number.MIN_SAFE_INTEGER,
  )({
    default: 0,
    summary: 'Seed of everything random: the same seed gives the same result.',
  }),
};

/** How the prompts of datasets are put to the model. */
export const chatFlags = {
  chat: Flags.boolean({
    allowNo: true,
    helpGroup: CHAT,
    summary:
      "Prompts as messages in the model's chat template, or not [default: instructions are, where the model has one].",
  }),
  system: Flags.string({
    helpGroup: CHAT,
    helpValue: 'TEXT',
    summary: 'A system message before each of them.',
  }),
};

/** How tokens are chosen; `samplingOptions` turns them into options. */
export const samplingFlags = {
  temperature: numberFlag('temperature')({
    default: 0,
    helpGroup: SAMPLING,
    summary: 'Temperature; 0 is greedy decoding.',
  }),
  'top-k': integerFlag(
    'top-k',
    0,
  )({
    default: 0,
    helpGroup: SAMPLING,
    summary: 'Keep the k most probable tokens; 0 is off.',
  }),
  'top-p': numberFlag('top-p')({
    default: 1,
    helpGroup: SAMPLING,
    summary: 'Keep the smallest set of tokens with this much probability; 1 is off.',
  }),
  'min-p': numberFlag('min-p')({
    default: 0,
    helpGroup: SAMPLING,
    summary: 'Keep tokens with this share of the most probable one; 0 is off.',
  }),
  coupling: Flags.option({
    options: ['gumbel', 'maximal'] as const,
    default: 'gumbel' as const,
    helpGroup: SAMPLING,
    summary: 'gumbel: the same text for a seed with any method; maximal: the same distribution.',
  })(),
};

/** How to draft; `resolveMethod` turns them into a method. */
export const methodFlags = {
  profile: Flags.string({
    helpGroup: DRAFTING,
    helpValue: 'FILE',
    summary: 'Skip profile (from sspec search) to draft with [default: SSPEC_PROFILE].',
  }),
  method: Flags.option({
    options: METHODS,
    helpGroup: DRAFTING,
    summary:
      "How to decode; cascade is lookup and skip, whichever promises more [default: the profile's, skip with a mask, else autoregressive].",
  })(),
  'draft-length': integerFlag(
    'draft-length',
    1,
    1024,
  )({
    helpGroup: DRAFTING,
    helpValue: 'K',
    summary: "Most tokens in one draft [default: the profile's, else 8].",
  }),
  'draft-exit': Flags.option({
    options: DRAFT_EXITS,
    helpGroup: DRAFTING,
    summary:
      "When a draft ends before that; cost needs a profile with costs [default: the profile's, else adaptive].",
  })(),
  threshold: numberFlag('threshold')({
    helpGroup: DRAFTING,
    summary: "Confidence that ends a draft, 0 to 1 [default: the profile's, else 0.8].",
  }),
  'skip-attention': Flags.string({
    helpGroup: DRAFTING,
    helpValue: 'LAYERS',
    summary: 'Layers whose attention the draft skips, such as 3,5-7.',
  }),
  'skip-mlp': Flags.string({
    helpGroup: DRAFTING,
    helpValue: 'LAYERS',
    summary: 'Layers whose MLP the draft skips.',
  }),
};
