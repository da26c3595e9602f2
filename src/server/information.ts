/** What the server tells of itself: GET /health, /metrics and /v1/models. */
import type { FastifyInstance } from 'fastify';
import type { Model } from '../engine/load-model.js';
import type { Baseline } from './baseline.js';
import { ApiError } from './errors.js';
import { METRICS_TYPE, type Metrics } from './metrics.js';
import type { ServerOptions } from './options.js';
import type { Profiles } from './profiles/profiles.js';
import type { Turns } from './turns.js';

export interface Informed {
  readonly model: Model;
  readonly options: Pick<ServerOptions, 'modelName' | 'profiles' | 'maxTokens'>;
  readonly profiles: Pick<Profiles, 'names'>;
  readonly baseline: Pick<Baseline, 'tokensPerSecond'>;
  readonly turns: Turns;
  readonly metrics: Metrics;
}

export function addInformation(app: FastifyInstance, informed: Informed): void {
  const { options, turns, metrics } = informed;
  const created = Math.floor(Date.now() / 1000);
  const card = () => modelCard(informed, created);
  app.get('/health', async () => ({
    status: 'ok',
    model: options.modelName,
    running: turns.busy ? 1 : 0,
    queue_length: turns.waiting,
  }));
  app.get('/metrics', async (_request, reply) => {
    reply.type(METRICS_TYPE);
    return metrics.render({ waiting: turns.waiting, running: turns.busy ? 1 : 0 });
  });
  app.get('/v1/models', async () => ({ object: 'list', data: [card()] }));
  // A Hub id has a slash in it, which some clients leave as it is.
  app.get<{ Params: { '*': string } }>('/v1/models/*', async ({ params: { '*': name } }) => {
    if (name === options.modelName) return card();
    throw new ApiError(404, `There is no model ${name} here.`, {
      code: 'model_not_found',
      param: 'model',
    });
  });
}

/** The model as OpenAI's clients read it, and in `sspec` what they do not ask for. */
function modelCard(
  { model: { engine, tokenizer }, options, profiles, baseline }: Informed,
  created: number,
) {
  return {
    id: options.modelName,
    object: 'model',
    created,
    owned_by: 'sspec',
    sspec: {
      chat: tokenizer?.hasChatTemplate ?? false,
      method: options.profiles[0]!.method.name,
      profiles: profiles.names,
      autoregressive_tokens_per_second: baseline.tokensPerSecond,
      precision: engine.model.precision,
      context_length: engine.config.contextLength,
      max_tokens: options.maxTokens,
    },
  };
}
