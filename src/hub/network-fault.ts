import { errorCode, errorMessage } from '../files.js';

/** A request that no answer came to by way of a proxy. */
export class ProxyFault extends Error {
  /** @param variable of the environment, which names the proxy */
  constructor(
    readonly variable: string,
    proxy: URL,
    error: unknown,
  ) {
    super(`through the proxy ${proxy.host} of ${variable}: ${networkReason(error)}`, {
      cause: error,
    });
  }
}

/** Why there is no answer. */
export function networkReason(error: unknown): string {
  if (error instanceof ProxyFault) return error.message;
  const cause = rootCause(error);
  return errorMessage(cause) || errorCode(cause) || 'no reason given';
}

/** Whether it is plain at once that there is no network, or nobody at that address. */
export function isNoNetwork(error: unknown): boolean {
  const code = errorCode(rootCause(error)) ?? '';
  return ['ENOTFOUND', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'].includes(code);
}

/** `fetch` says no more than "fetch failed"; the reason is its cause. */
function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error;
}
