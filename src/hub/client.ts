import { hubEndpoint, hubToken } from './environment.js';

/** How long faults are borne. */
export interface Patience {
  /** Tries of one request, or of a download between two advances. */
  readonly attempts: number;
  /** Seconds before the second try; doubled before each further one. */
  readonly firstPause: number;
  /** The most seconds that a pause takes, also one that the Hub asks for: what asks for more ends the work. */
  readonly longestPause: number;
  /** Seconds without a byte after which a connection counts as cut. */
  readonly silence: number;
}

/** The Hub counts requests in windows of five minutes. */
export const PATIENCE: Patience = {
  ...{ attempts: 5, firstPause: 1, longestPause: 310, silence: 30 },
};

/** What of a download can be followed and changed. */
export interface PullOptions {
  /** Told the bytes that are here, of all that are wanted. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told what is waited for; '' when it goes on. */
  readonly onWait?: (reason: string) => void;
  /** Ends the work; what was downloaded stays and is gone on from the next time. */
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

/** Whom to ask, as whom, and how patiently. */
export interface HubClient {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly patience: Patience;
  readonly onWait: (reason: string) => void;
  readonly signal: AbortSignal;
}

/**
 * A client by the environment (HF_ENDPOINT, HF_TOKEN, HF_HOME).
 * @throws InputError when a variable cannot be used
 */
export function hubClient(options: PullOptions): HubClient {
  return {
    endpoint: hubEndpoint(),
    token: hubToken(),
    patience: options.patience ?? PATIENCE,
    onWait: options.onWait ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
  };
}

/** A repository, and the revision that is asked for. */
export interface Repository {
  readonly kind: 'model' | 'dataset';
  readonly org: string;
  readonly name: string;
  readonly revision: string;
}

/** `org/name`. */
export function repositoryId({ org, name }: Pick<Repository, 'org' | 'name'>): string {
  return `${org}/${name}`;
}

/** The repository's page, where a person can look; models have no folder of their own there. */
export function repositoryPage(endpoint: string, repository: Repository): string {
  return `${endpoint}/${repository.kind === 'dataset' ? 'datasets/' : ''}${repositoryId(repository)}`;
}
