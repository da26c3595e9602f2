import { Flags } from '@oclif/core';
import { DEFAULT_LIMITS } from '../server/options.js';
import { integerFlag } from './flags.js';

const LIMITS = 'LIMITS';
const NETWORK = 'NETWORK';
const limitFlag = (name: string, min: number, value: number, summary: string) =>
  integerFlag(name, min)({ default: value, helpGroup: LIMITS, summary });

/** Where `sspec serve` listens, to whom, and how much it takes on. */
export const serveFlags = {
  host: Flags.string({
    default: '127.0.0.1',
    helpGroup: NETWORK,
    helpValue: 'NAME',
    summary: 'Address to listen at; 0.0.0.0 is every one that the machine has.',
  }),
  port: integerFlag(
    'port',
    0,
    65535,
  )({
    default: 8080,
    helpGroup: NETWORK,
    summary: 'Port to listen at; 0 takes a free one.',
  }),
  'api-key': Flags.string({
    env: 'SSPEC_API_KEY',
    helpGroup: NETWORK,
    helpValue: 'KEY',
    summary:
      'Key that clients have to send; better in the environment, where others do not see it.',
  }),
  cors: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: NETWORK,
    helpValue: 'ORIGIN',
    summary: 'Origin whose pages may call, or *; may be repeated [default: none].',
  }),
  name: Flags.string({
    helpGroup: NETWORK,
    helpValue: 'NAME',
    summary: "What requests call the model [default: --model, a folder's last part].",
  }),
  'max-queue': limitFlag('max-queue', 0, DEFAULT_LIMITS.maxQueue, 'Most requests that wait.'),
  'max-body': limitFlag('max-body', 1, DEFAULT_LIMITS.maxBody, 'Most bytes of a request.'),
  'max-tokens': limitFlag(
    'max-tokens',
    1,
    DEFAULT_LIMITS.maxTokens,
    'Most new tokens of one choice.',
  ),
  'max-choices': limitFlag(
    'max-choices',
    1,
    DEFAULT_LIMITS.maxChoices,
    'Most choices of one request.',
  ),
  timeout: limitFlag(
    'timeout',
    1,
    DEFAULT_LIMITS.timeout,
    'Seconds that a request may take, waiting included.',
  ),
  grace: limitFlag('grace', 0, 10, 'Seconds that the running request has when the server stops.'),
  conversations: limitFlag(
    'conversations',
    0,
    DEFAULT_LIMITS.conversations,
    'Conversations whose keys and values are kept, so that the next message runs alone.',
  ),
};
