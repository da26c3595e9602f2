import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.js';
import type { HubClient, Patience } from './client.js';

/**
 * Seconds to wait after a failing answer; undefined where trying again cannot help.
 * @param attempt tries so far, from 1
 */
export function pauseAfter(
  response: Response,
  attempt: number,
  patience: Patience,
): number | undefined {
  const { status } = response;
  if (status !== 429 && status !== 408 && status < 500) return undefined;
  const asked = status === 429 || status === 503 ? askedPause(response.headers) : undefined;
  return asked ?? backoff(attempt, patience);
}

/** Seconds before the next try where nothing was asked for. */
export function backoff(attempt: number, { firstPause, longestPause }: Patience): number {
  return Math.min(longestPause, firstPause * 2 ** (attempt - 1));
}

/** Retry-After in seconds or as a date, else the Hub's own header `RateLimit: "api";r=0;t=120`. */
function askedPause(headers: Headers): number | undefined {
  const after = headers.get('Retry-After')?.trim();
  if (after !== undefined && /^\d+$/.test(after)) return Number(after);
  const date = after === undefined ? Number.NaN : Date.parse(after);
  if (Number.isFinite(date)) return Math.max(0, (date - Date.now()) / 1000);
  const reset = /(?:^|;)\s*t=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1];
  return reset === undefined ? undefined : Number(reset);
}

/**
 * Waits, and tells why.
 * @throws InputError when it would be for longer than the client's patience; the signal's reason once it is aborted.
 */
export async function pause(client: HubClient, seconds: number, reason: string): Promise<void> {
  const whole = Math.ceil(seconds);
  if (seconds > client.patience.longestPause)
    throw new InputError(
      `${reason}, and asks to wait ${whole} s: run this again then${client.token === undefined ? ', or set HF_TOKEN, which allows more' : ''}.`,
    );
  client.onWait(`${reason}, waiting ${whole} s`);
  try {
    await sleep(seconds * 1000, undefined, { signal: client.signal });
  } catch (error) {
    client.signal.throwIfAborted();
    throw error;
  }
  client.onWait('');
}
