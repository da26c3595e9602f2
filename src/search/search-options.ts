import { GREEDY, type SamplingOptions } from '../decoding/sampling/options.js';
import type { ChatChoice } from '../evaluation/prompt-form.js';
import type { SamplerName } from '../optimise/sampler.js';
import type { StudyStorage } from '../study/storage.js';
import { DEFAULTS, type Fidelity, MAX_NEW_TOKENS } from './defaults.js';
import type { SearchProgress, SearchRequest } from './search-request.js';

/** What to search, and where what is found goes. What is left out is as in `sspec search`. */
export interface SearchOptions extends ChatChoice {
  /** Where the study is kept, such as `journalStorage('.sspec/studies')`. */
  readonly storage: StudyStorage;
  /** File that the profile is written to. */
  readonly output: string;
  /** Prompts to search on, and to measure the winner on: see `chooseHoldout`. */
  readonly dataset?: string | undefined;
  readonly holdout?: string | undefined;
  readonly sampler?: SamplerName | undefined;
  readonly fidelity?: Fidelity | undefined;
  readonly seed?: number | undefined;
  readonly trials?: number | undefined;
  /** No trial starts later than this; the final measurements still follow. */
  readonly timeoutSeconds?: number | undefined;
  /** Candidates that decode all calibration prompts. */
  readonly finalists?: number | undefined;
  readonly promptsPerTrial?: number | undefined;
  readonly maxNewTokens?: number | undefined;
  /** What is decoded with; greedy by default. */
  readonly sampling?: SamplingOptions | undefined;
  /** Name of the study; else one is made of model, dataset and settings. */
  readonly study?: string | undefined;
  /** Go on with the study if it is there; without a name, with the latest that fits. */
  readonly resume?: boolean | undefined;
  /** Trials that workers on other machines (`sspec worker`) score at once; the storage must be a database. */
  readonly workers?: number | undefined;
  /** How to do it again, as profile and journal tell it. */
  readonly command?: string | undefined;
  /** What is wrong with the circumstances, such as a busy machine; the profile keeps it. */
  readonly warnings?: readonly string[] | undefined;
  /** `performance.now()` where the document's `wall_seconds` begin; else now. */
  readonly started?: number | undefined;
  /** Ends the search; finished trials are kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
  /** Told in sentences what the user should know: prompts left out, which study is gone on with. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
}

/** What a search does, apart from the prompts and the study that it does it with. */
export type SearchPlan = Omit<
  SearchRequest,
  | 'calibration'
  | 'holdout'
  | 'fitting'
  | 'study'
  | 'signal'
  | 'onProgress'
  | 'onNotice'
  | 'distribution'
>;

/** The options, with what they leave out. */
export function planOf(options: SearchOptions): SearchPlan {
  const { sampler = 'bo', fidelity = 'ladder', seed = 0, timeoutSeconds } = options;
  const defaults = DEFAULTS[fidelity];
  return {
    sampler,
    fidelity,
    seed,
    trials: options.trials ?? defaults.trials,
    finalists: options.finalists ?? defaults.finalists,
    promptsPerTrial: options.promptsPerTrial ?? defaults.promptsPerTrial,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    settings: {
      maxNewTokens: options.maxNewTokens ?? MAX_NEW_TOKENS,
      repetitions: 1,
      warmup: 2,
      sampling: options.sampling ?? { ...GREEDY, seed },
      coupling: 'gumbel',
    },
  };
}
