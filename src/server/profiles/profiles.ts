import type { Method } from '../../decoding/method.js';
import type { RoundCosts } from '../../decoding/round-costs.js';
import type { Round } from '../../decoding/rounds.js';
import { badRequest } from '../errors.js';
import { type Bandit, createBandit } from './bandit.js';
import { textKind } from './text-kind.js';

/** A way of decoding that requests can name. */
export interface ServedProfile {
  readonly name: string;
  readonly method: Method;
  /** What rounds cost; null where the profile does not tell, so that `auto` cannot weigh it. */
  readonly costs: RoundCosts | null;
}

/** What stands for the first profile, and for the one that has been fastest for the kind of text. */
export const DEFAULT_PROFILE = 'default';
export const AUTO_PROFILE = 'auto';

/** What a request is decoded with. */
export interface ChosenProfile {
  readonly profile: ServedProfile;
  /** Told every round, and how many of its tokens belong to the output. */
  learn(round: Round, tokens: number): void;
}

export interface Profiles {
  /** What a request may name. */
  readonly names: readonly string[];
  /** @throws ApiError 400 for a name that is not there. */
  check(name: string | undefined): void;
  /**
   * Chooses for a request whose turn has come.
   * @param text the end of its prompt; asked for only where it matters.
   */
  choose(name: string | undefined, text: () => string): ChosenProfile;
}

/** @param served at least one; the first is what requests get that name none. */
export function createProfiles(served: readonly ServedProfile[]): Profiles {
  const weighed = served.flatMap((profile) => {
    const costs = profile.method.name === 'autoregressive' ? AUTOREGRESSIVE : profile.costs;
    return costs ? [{ profile, costs }] : [];
  });
  const bandit: Bandit | null =
    weighed.length > 1 ? createBandit(weighed.map(({ costs }) => costs.timePerToken)) : null;
  const names = [
    ...new Set([DEFAULT_PROFILE, ...served.map(({ name }) => name)]),
    ...(bandit ? [AUTO_PROFILE] : []),
  ];
  return {
    names,
    check(name) {
      if (name === undefined || names.includes(name)) return;
      const message = `There is no profile ${name} here; this server has ${names.join(', ')}.`;
      throw badRequest(message, 'profile_not_found', 'profile');
    },
    choose(name = DEFAULT_PROFILE, text) {
      if (name === AUTO_PROFILE && bandit) {
        const kind = textKind(text());
        const arm = bandit.choose(kind);
        const { profile, costs } = weighed[arm]!;
        return {
          profile,
          learn(round, tokens) {
            // A prompt costs the same with every profile.
            if (round.kind === 'round') bandit.learn(kind, arm, tokens, priceOf(round, costs));
          },
        };
      }
      const profile = served.find((one) => one.name === name) ?? served[0]!;
      return { profile, learn() {} };
    },
  };
}

const AUTOREGRESSIVE: RoundCosts = { draft: 0, verify: [1], timePerToken: 1 };

/** What a round cost, in tokens of autoregressive decoding. */
function priceOf({ draftPasses, drafted }: Round, { draft, verify }: RoundCosts): number {
  return draftPasses * draft + verify[Math.min(drafted.length, verify.length - 1)]!;
}
