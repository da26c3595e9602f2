import { setMaxListeners } from 'node:events';
import fastify, { type FastifyInstance } from 'fastify';
import { createConversations } from '../decoding/conversations.js';
import type { Model } from '../engine/load-model.js';
import { errorMessage } from '../files.js';
import { toolVersion } from '../measurement/environment.js';
import { guard } from './access.js';
import { CHAT_SHAPE, COMPLETION_SHAPE } from './answers/shape.js';
import { createBaseline } from './baseline.js';
import { ApiError, errorBody, toApiError } from './errors.js';
import { addInformation } from './information.js';
import { createMetrics, type Totals } from './metrics.js';
import type { ServerOptions } from './options.js';
import { addPage } from './page/page.js';
import { createProfiles } from './profiles/profiles.js';
import { parseChat } from './requests/chat.js';
import { parseCompletion } from './requests/completion.js';
import { type TextService, textEndpoint } from './text-endpoint.js';
import { createTurns } from './turns.js';

/** Seconds in which a client has to have sent its whole request. */
const RECEIVE_SECONDS = 30;
/** Seconds in which a stopping server's last answers have to be read. */
const LAST_READ_SECONDS = 2;
const MOST_CONNECTIONS = 2048;

export interface Server {
  readonly app: FastifyInstance;
  readonly totals: Readonly<Totals>;
  /**
   * Starts to serve; returns the address, with the port that was taken where `port` is 0.
   * @throws Error of the system, such as EADDRINUSE.
   */
  listen(host: string, port: number): Promise<string>;
  /** Takes no more requests, sends those away that wait, gives the running one some seconds, then ends it. */
  close(graceSeconds: number): Promise<void>;
}

/** A server of a loaded model. The model stays the caller's, who closes it after the server. */
export function createServer(model: Model, options: ServerOptions): Server {
  const metrics = createMetrics();
  const turns = createTurns(options.maxQueue);
  const stopping = new AbortController();
  // Every request that waits listens.
  setMaxListeners(0, stopping.signal);
  const conversations = createConversations(model.engine, options.conversations);
  const baseline = createBaseline(model.engine);
  const profiles = createProfiles(options.profiles);
  const { coupling } = options;
  const service: TextService = {
    generator: { model, coupling, conversations, metrics },
    metrics,
    profiles,
    baseline,
    options,
    turns,
    stopping: stopping.signal,
    fingerprint: fingerprintOf(model),
  };
  let isClosing = false;
  const app = fastify({
    bodyLimit: options.maxBody,
    requestTimeout: RECEIVE_SECONDS * 1000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  // A page of another origin may send text without asking; JSON it may not.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      const { statusCode, writableFinished } = reply.raw;
      metrics.request(request.routeOptions.url ?? 'other', writableFinished ? statusCode : 499);
    });
    if (isClosing) throw closing();
  });
  guard(app, options);
  app.setErrorHandler((error, _request, reply) => {
    const answer = toApiError(error, options.onFailure);
    if (answer.retryAfter !== undefined) reply.header('retry-after', answer.retryAfter);
    return reply.code(answer.status).send(errorBody(answer));
  });
  app.setNotFoundHandler((request) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]} here.`;
    throw new ApiError(404, message, { code: 'unknown_url' });
  });
  app.post(
    '/v1/chat/completions',
    textEndpoint(service, CHAT_SHAPE, (body) => parseChat(body, model, options)),
  );
  app.post(
    '/v1/completions',
    textEndpoint(service, COMPLETION_SHAPE, (body) => parseCompletion(body, model, options)),
  );
  addInformation(app, { model, options, profiles, baseline, turns, metrics });
  addPage(app);
  const measureBaseline = async () => {
    try {
      await turns.take('', stopping.signal, () => baseline.measure());
    } catch (error) {
      if (!isClosing) options.onFailure(errorMessage(error));
    }
  };
  app.addHook('onResponse', async () => {
    if (baseline.isStale && !turns.busy && !isClosing) void measureBaseline();
  });

  return {
    app,
    totals: metrics.totals,
    async listen(host, port) {
      await measureBaseline();
      return app.listen({ host, port });
    },
    async close(graceSeconds) {
      isClosing = true;
      turns.dismiss(closing());
      const timer = setTimeout(() => stopping.abort(closing()), graceSeconds * 1000);
      await turns.idle();
      clearTimeout(timer);
      stopping.abort(closing());
      // Who still reads an answer has a moment for the rest of it.
      const force = setTimeout(() => app.server.closeAllConnections(), LAST_READ_SECONDS * 1000);
      await app.close();
      clearTimeout(force);
    },
  };
}

function closing(): ApiError {
  return new ApiError(503, 'The server is shutting down.', { code: 'shutting_down' });
}

/** What the text for a seed depends on. */
function fingerprintOf({ engine: { model, threads } }: Model): string {
  const weights = model.weightsHash.replace(/^sha256:/, '').slice(0, 12);
  return `sspec-${toolVersion()}-${weights}-${model.precision}-${threads}`;
}
