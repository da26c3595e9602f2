import type { CouplingName } from '../decoding/coupling.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import type { ServedProfile } from './profiles/profiles.js';

/** How a server serves its model. Every limit has a flag of `sspec serve`. */
export interface ServerOptions {
  /** What requests may decode with, at least one; the first where they name none. */
  readonly profiles: readonly ServedProfile[];
  /** What holds where a request says nothing; its seed is not used. */
  readonly sampling: Omit<SamplingOptions, 'seed'>;
  readonly coupling: CouplingName;
  /** The name that requests call the model by. */
  readonly modelName: string;
  /** Asked for in `Authorization: Bearer KEY`; null lets everybody in. */
  readonly apiKey: string | null;
  /** Origins whose pages may call; `*` is any. */
  readonly cors: readonly string[];
  /** Values of the Host header that are served; null serves any. */
  readonly hosts: readonly string[] | null;
  /** Most requests that wait for their turn. */
  readonly maxQueue: number;
  /** Most bytes of a request's body. */
  readonly maxBody: number;
  /** Most new tokens of one choice; more are cut to it. */
  readonly maxTokens: number;
  /** Most choices of one request, over all its prompts. */
  readonly maxChoices: number;
  /** Seconds that a request may take, waiting included. */
  readonly timeout: number;
  /** Conversations whose keys and values are kept. */
  readonly conversations: number;
  /** Told what went wrong within the server: one text a time. */
  readonly onFailure: (message: string) => void;
}

export const DEFAULT_LIMITS = {
  maxQueue: 64,
  maxBody: 1 << 20,
  maxTokens: 4096,
  maxChoices: 16,
  timeout: 600,
  conversations: 2,
} as const;
