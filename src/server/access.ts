/** Who may call: the API key, the names that the server answers to, and the origins whose pages may call it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './errors.js';
import type { ServerOptions } from './options.js';

/** Paths that everybody may read: the page asks for the key itself, and health is for those who restart servers. */
const OPEN_PATHS = new Set(['/', '/health']);

/** Adds the checks that come before a request's body is read. */
export function guard(
  app: FastifyInstance,
  { apiKey, cors, hosts }: Pick<ServerOptions, 'apiKey' | 'cors' | 'hosts'>,
): void {
  const isKey = apiKey === null ? null : keyCheck(apiKey);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (hosts && !hosts.includes(hostName(request.headers.host)))
      throw new ApiError(403, `This server does not answer to the name ${request.headers.host}.`, {
        code: 'wrong_host',
      });
    const origin = request.headers.origin;
    if (cors.length > 0) reply.header('vary', 'Origin');
    if (origin !== undefined && (cors.includes('*') || cors.includes(origin))) {
      reply.header('access-control-allow-origin', origin);
      reply.header('access-control-expose-headers', 'Retry-After');
      // A browser asks before it sends a key or JSON, without either.
      if (request.method === 'OPTIONS') {
        return reply
          .header('access-control-allow-methods', 'GET, POST')
          .header('access-control-allow-headers', allowedHeaders(request.headers))
          .header('access-control-max-age', '600')
          .code(204)
          .send();
      }
    }
    if (!isKey || OPEN_PATHS.has(request.url.split('?')[0]!)) return;
    const [, key] = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined || !isKey(key)) {
      reply.header('www-authenticate', 'Bearer');
      const message = key === undefined ? 'An API key is needed' : 'The API key is wrong';
      throw new ApiError(401, `${message}; send it as Authorization: Bearer KEY.`, {
        code: 'invalid_api_key',
      });
    }
  });
}

/** Whether a text is the key, in a time that says nothing of how much of it was right. */
function keyCheck(key: string): (text: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(key);
  return (text) => timingSafeEqual(digest(text), expected);
}

/** The headers that a preflight asks for: OpenAI's clients send a dozen of their own. */
function allowedHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const asked = headers['access-control-request-headers'];
  return typeof asked === 'string' && asked !== '' ? asked : 'Authorization, Content-Type';
}

/** A Host header without its port. */
function hostName(header = ''): string {
  return header.replace(/:\d+$/, '').toLowerCase();
}
