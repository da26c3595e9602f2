import { InputError } from '../errors.js';
import type { HubClient, Repository } from './client.js';
import { isNoNetwork, networkReason } from './network-fault.js';
import { backoff, pause, pauseAfter } from './pause.js';
import { fetchByProxy } from './proxy.js';
import { refusal, storageRefusal, unreachable } from './refusal.js';

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 8;

/** What a request has beside its address. */
export interface HubRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request and the reading of its answer; default the client's. */
  readonly signal?: AbortSignal;
  /** Other statuses that are an answer, not a fault. */
  readonly accepts?: readonly number[];
  /** Tries again also where there is no network: it was there a moment ago. */
  readonly underWay?: boolean;
}

/**
 * Asks the Hub, again where that can help.
 * @returns a successful answer, or one with a status that the request accepts
 * @throws InputError one sentence about what the Hub or the network refuses
 */
export async function requestHub(
  client: HubClient,
  repository: Repository,
  url: string,
  request: HubRequest = {},
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let seconds: number | undefined;
    let reason: string;
    let fault: InputError;
    try {
      const response = await follow(client, url, request);
      if (response.ok || request.accepts?.includes(response.status)) return response;
      const storage = storageOf(client, response);
      // An address is signed for a time, and the answer that had it may come from a cache: the next try gets another.
      const again = storage === undefined ? undefined : backoff(attempt, client.patience);
      seconds = pauseAfter(response, attempt, client.patience) ?? again;
      const who = storage ?? client.endpoint;
      reason =
        response.status === 429
          ? `${who} has had too many requests`
          : `${who} fails (${response.status})`;
      fault = storage
        ? storageRefusal(client, repository, storage, response.status)
        : refusal(client, repository, response);
      await response.body?.cancel();
    } catch (error) {
      (request.signal ?? client.signal).throwIfAborted();
      if (error instanceof InputError) throw error;
      seconds =
        isNoNetwork(error) && !request.underWay ? undefined : backoff(attempt, client.patience);
      reason = `no answer (${networkReason(error)})`;
      fault = unreachable(client, error);
    }
    if (seconds === undefined || attempt >= client.patience.attempts) throw fault;
    await pause(client, seconds, reason);
  }
}

/** The host that keeps a large file for the Hub, where the answer is its own: a Hub's, that a mirror sends on to, has a code of error. */
function storageOf({ endpoint }: HubClient, { url, headers }: Response): string | undefined {
  const { host } = new URL(url);
  return host === new URL(endpoint).host || headers.has('X-Error-Code') ? undefined : host;
}

/**
 * One request and the redirects that it is answered with. They are followed here and not by `fetch`, so that the token goes
 * to the Hub alone: what stores large files gets an address that is signed already, whether that is LFS's or a bridge to Xet's.
 */
async function follow(client: HubClient, url: string, request: HubRequest): Promise<Response> {
  let at = new URL(url);
  const home = new URL(client.endpoint);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const headers = new Headers(request.headers);
    if (client.token !== undefined && at.origin === home.origin)
      headers.set('Authorization', `Bearer ${client.token}`);
    const response = await answer(client, at, headers, request.signal);
    const location = response.headers.get('Location');
    if (!REDIRECTS.includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = new URL(location, at);
    if (next.protocol !== 'https:' && next.protocol !== home.protocol)
      throw new InputError(`${at.origin} sends to ${next.origin}, which is not followed.`);
    at = next;
  }
  throw new InputError(`${client.endpoint} redirects in a circle for ${url}.`);
}

/** The head of an answer. Its body may take as long as it likes, the head may not. */
async function answer(
  client: HubClient,
  url: URL,
  headers: Headers,
  signal = client.signal,
): Promise<Response> {
  const late = new AbortController();
  const { silence } = client.patience;
  const timer = setTimeout(() => late.abort(new Error(`silent for ${silence} s`)), silence * 1000);
  try {
    return await fetchByProxy(url, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}
