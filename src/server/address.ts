/** Where a server is and what it is called. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import type { Server } from './server.js';

/** What requests call a model: its reference, or the last part of a path, which is nobody's business but the machine's. */
export function modelNameOf(reference: string): string {
  return existsSync(reference) ? basename(resolve(reference)) : reference;
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The names that a server without a key answers to. One that listens on this machine alone answers to no other: else any page
 * on the web could have its own name lead here and call as if it were from here (DNS rebinding).
 */
export function servedHosts(host: string, apiKey: string | null): readonly string[] | null {
  const isLocal = LOOPBACK.includes(host) || host === '::1' || /^127\./.test(host);
  return isLocal && apiKey === null ? [...LOOPBACK, host.toLowerCase()] : null;
}

/** What is wrong with an address, by the system's code. */
const FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; give another --port',
  EACCES: 'it may not be used; give a --port of 1024 or more',
  EADDRNOTAVAIL: 'this machine does not have the address; give another --host',
  ENOTFOUND: 'there is no such name; give another --host',
};

/**
 * Starts a server; returns its address.
 * @throws InputError where it cannot listen.
 */
export async function listeningAt(server: Server, host: string, port: number): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const fault = FAULTS[errorCode(error) ?? ''] ?? errorMessage(error);
    throw new InputError(`Cannot listen at ${host}, port ${port}: ${fault}.`);
  }
}
