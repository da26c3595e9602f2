import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../../src/engine/load-model.js';
import { skipPlan } from '../../../src/profile/draft-plan.js';
import type { ServedProfile } from '../../../src/server/profiles/profiles.js';
import { drafting, failures, post, serve, textModel } from '../helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel();
});

const costs = { draft: 0.5, verify: [1, 1.1, 1.2, 1.3, 1.4], timePerToken: 0.9 };
/** Drafts that are hardly ever right: they skip all. */
const hopeless = { ...drafting, plan: skipPlan({ attention: [0, 1, 2], mlp: [0, 1, 2] }) };
const profiles: readonly ServedProfile[] = [
  { name: 'one', method: drafting, costs },
  { name: 'bad', method: hopeless, costs },
  { name: 'untold', method: drafting, costs: null },
];
const path = '/v1/completions';
const request = { prompt: 'Once', seed: 2, temperature: 1, max_tokens: 30 };

describe('a request', () => {
  it('names what it is decoded with, and the text is the same', async () => {
    const { url } = await serve(model, { profiles });
    const answers = await Promise.all(
      [undefined, 'default', 'one', 'bad', 'untold', 'auto'].map(async (profile) => {
        const { status, body } = await post(url, path, { ...request, profile });
        expect(status).toBe(200);
        return body;
      }),
    );
    expect(new Set(answers.map(({ choices }) => choices[0].text)).size).toBe(1);
    const made = answers.map(({ sspec }) => sspec.profile);
    expect(made.slice(0, 5)).toEqual(['one', 'one', 'one', 'bad', 'untold']);
    expect(['one', 'bad']).toContain(made[5]);
    const [, , one, bad] = answers.map(({ usage }) => usage.sspec);
    expect(bad.accepted_tokens).toBeLessThan(one.accepted_tokens);
  });

  it('can be sent by clients of OpenAI, and streamed', async () => {
    const { url } = await serve(model, { profiles });
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
    const extra = {
      profile: 'bad',
      stream_options: { include_usage: true },
      stream: true as const,
    };
    const stream = await openai.completions.create({ ...request, model: 'mini', ...extra });
    const told: unknown[] = [];
    for await (const chunk of stream) if ('sspec' in chunk) told.push(chunk.sspec);
    expect(told.at(-1)).toMatchObject({ profile: 'bad', seed: 2 });
    const { data } = await openai.models.list();
    expect(data[0]).toMatchObject({
      sspec: { method: 'skip', profiles: ['default', 'one', 'bad', 'untold', 'auto'] },
    });
  });

  it('is refused for a profile that is not there', async () => {
    const { url } = await serve(model, { profiles: profiles.slice(0, 1) });
    for (const profile of ['other', 'auto']) {
      const answer = await post(url, path, { ...request, profile });
      expect(answer.status).toBe(400);
      expect(answer.body.error).toMatchObject({ code: 'profile_not_found', param: 'profile' });
      expect(answer.body.error.message).toMatch(/this server has default, one\./);
    }
  });
});

describe('auto', () => {
  it('comes to use what costs least, by counts, and the same on every server', async () => {
    const run = async () => {
      const { url } = await serve(model, { profiles });
      const made: string[] = [];
      for (let i = 0; i < 30; i++) {
        const { body } = await post(url, path, { ...request, seed: i, profile: 'auto' });
        made.push(body.sspec.profile);
      }
      return made;
    };
    const made = await run();
    expect(made).toContain('bad');
    expect(made.slice(20)).toEqual(Array(10).fill('one'));
    expect(await run()).toEqual(made);
  });
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
