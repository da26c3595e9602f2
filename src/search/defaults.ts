/** What a search does where nothing else is said. Commands load this for their help: it imports nothing that runs. */

/** `ladder`: trials are scored by window replay; `decode`: by real decoding. */
export const fidelities = ['ladder', 'decode'] as const;
export type Fidelity = (typeof fidelities)[number];

/** What is left open in a search of this fidelity. */
interface FidelityDefaults {
  readonly trials: number;
  readonly finalists: number;
  readonly promptsPerTrial: number;
}

export const DEFAULTS: Readonly<Record<Fidelity, FidelityDefaults>> = {
  ladder: { trials: 30, finalists: 2, promptsPerTrial: 16 },
  decode: { trials: 30, finalists: 2, promptsPerTrial: 8 },
};

/** Most tokens made for a prompt. */
export const MAX_NEW_TOKENS = 48;

/**
 * Most prompts of either side, and of those that drafts are fitted to: a search is to take minutes, and `sspec eval` measures its
 * profile on as many as one likes. Groups are interleaved, so that the first so many are balanced. A map of 2 d numbers to d takes
 * many texts (docs/bridges.md).
 */
export const MOST_PROMPTS = { calibration: 24, holdout: 48, fitting: 96 } as const;

/** Raised when replay comes to score drafts otherwise, such as with other bridges: trials of before do not compare with those of now. */
export const REPLAY_SCORING = 6;
