import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine/load-model.js';
import { modelNameOf, servedHosts } from '../../src/server/address.js';
import { post, serve, textModel } from './helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel();
});

const body = { prompt: 'One', max_tokens: 1 };
const send = (url: string, headers = {}) => post(url, '/v1/completions', body, headers);

describe('an API key', () => {
  it('is asked for, but not for the page and health', async () => {
    const { url } = await serve(model, { apiKey: 'secret' });
    for (const [header, message] of [
      [undefined, /needed/],
      ['Bearer', /needed/],
      ['secret', /needed/],
      ['Bearer wrong', /wrong/],
      ['Bearer secret2', /wrong/],
      ['Bearer secre', /wrong/],
    ] as const) {
      const answer = await send(url, header === undefined ? {} : { authorization: header });
      expect(answer.status).toBe(401);
      expect(answer.body.error).toMatchObject({ code: 'invalid_api_key', param: null });
      expect(answer.body.error.message).toMatch(message);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await send(url, { authorization: 'Bearer secret' })).status).toBe(200);
    const status = async (path: string) => (await fetch(`${url}${path}`)).status;
    expect(await status('/')).toBe(200);
    expect(await status('/health')).toBe(200);
    expect(await status('/metrics')).toBe(401);
    expect(await status('/v1/models')).toBe(401);
    expect(await status('//health')).toBe(401);
  });
});

describe('pages of other origins', () => {
  const origin = 'https://example.org';
  const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin');

  it('may not call unless they are named', async () => {
    const { url } = await serve(model);
    expect(allowed(await fetch(`${url}/health`, { headers: { origin } }))).toBeNull();
    const preflight = await fetch(`${url}/v1/completions`, {
      method: 'OPTIONS',
      headers: { origin },
    });
    expect(preflight.status).toBe(404);
  });

  it('may call when they are, with a key that the preflight does not have', async () => {
    const { url } = await serve(model, { cors: [origin], apiKey: 'secret' });
    const preflight = await fetch(`${url}/v1/completions`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-headers': 'authorization,x-stainless-os' },
    });
    expect(preflight.status).toBe(204);
    expect(allowed(preflight)).toBe(origin);
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'authorization,x-stainless-os',
    );
    const refused = await fetch(`${url}/v1/models`, { headers: { origin } });
    expect([refused.status, allowed(refused)]).toEqual([401, origin]);
    const headers = { origin, authorization: 'Bearer secret', 'content-type': 'application/json' };
    const streamed = await fetch(`${url}/v1/completions`, {
      ...{ method: 'POST', headers, body: JSON.stringify({ ...body, stream: true }) },
    });
    expect(await streamed.text()).toContain('[DONE]');
    expect(allowed(streamed)).toBe(origin);
    const other = await fetch(`${url}/v1/models`, { headers: { origin: 'https://other.org' } });
    expect(allowed(other)).toBeNull();
  });
});

describe('the name of the server', () => {
  /** fetch does not let one choose the Host header. */
  const statusAs = (url: string, host: string) =>
    new Promise<number>((resolve, reject) => {
      request(`${url}/health`, { headers: { host } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      })
        .on('error', reject)
        .end();
    });

  it('is one of this machine where it listens on it alone, without a key', async () => {
    const { url } = await serve(model, { hosts: servedHosts('127.0.0.1', null) });
    expect(await statusAs(url, 'evil.example:8080')).toBe(403);
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:1', 'LOCALHOST'])
      expect(await statusAs(url, host)).toBe(200);
    expect(servedHosts('127.0.0.1', 'secret')).toBeNull();
    expect(servedHosts('0.0.0.0', null)).toBeNull();
  });

  it('says nothing of where the model lies', () => {
    expect(modelNameOf('demo')).toBe('demo');
    expect(modelNameOf('org/name')).toBe('org/name');
    expect(modelNameOf(model.directory)).toMatch(/^sspec-\w+$/);
  });
});
