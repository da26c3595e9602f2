import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Generate from '../../commands/generate.js';
import Serve from '../../commands/serve.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';
import { expectRefused, runCommand } from './run.js';

afterEach(() => vi.unstubAllEnvs());

/** Starts `sspec serve` in this process, calls `use` with its address, and stops it as Ctrl-C would. */
async function served(argv: string[], use: (url: string) => Promise<void>) {
  const write = process.stderr.write;
  const told: string[] = [];
  const running = runCommand(Serve, [...argv, '--port', '0', '--json']);
  // With --json the address is told on stderr.
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  try {
    const address = () => / at (http:\S+)/.exec(told.join(''))?.[1];
    while (address() === undefined) {
      const over = await Promise.race([running, new Promise((wake) => setTimeout(wake, 20))]);
      if (over) throw new Error(JSON.stringify(over));
    }
    await use(address()!);
  } finally {
    process.emit('SIGTERM');
    spy.mockRestore();
    process.stderr.write = write;
  }
  return { ...(await running), told: told.join('') };
}

describe('sspec serve', () => {
  it('serves the bundled model: the text of sspec generate, with a profile and without', async () => {
    const { loadModel } = await import('../../src/engine/load-model.js');
    const demo = await loadModel('demo');
    const { config, model } = demo.engine;
    await demo.close();
    const file = join(temporaryDirectory(), 'profile.json');
    const described = {
      ...{ ...exampleProfile.model, layers: config.layers, weights_hash: model.weightsHash },
      reference: 'demo',
    };
    const draft = { draft_length: 4, draft_exit: 'fixed', threshold: 0 };
    const mask = { skip_attention: [3, 5], skip_mlp: [4], pareto: [] };
    writeFileSync(file, JSON.stringify({ ...exampleProfile, model: described, draft, ...mask }));
    const prompt = 'Once upon a time';
    const argv = ['--prompt', prompt, '--max-new-tokens', '24', '--json'];
    const plain = JSON.parse((await runCommand(Generate, argv)).stdout);

    const named = ['--profile', `tales=${file}`, '--profile', `other=${file}`];
    for (const flags of [[], ['--profile', file], named]) {
      const { code, stdout } = await served([...flags, '--temperature', '0'], async (url) => {
        const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
        const request = { model: 'demo', prompt, max_tokens: 24 };
        const answer = await openai.completions.create(request);
        expect(answer.choices[0]?.text).toBe(plain.text);
        const profile = flags === named ? 'tales' : 'default';
        expect(answer).toMatchObject({ sspec: { profile } });
        expect(answer.usage).toMatchObject({
          prompt_tokens: plain.prompt_tokens,
          completion_tokens: 24,
        });
        const messages = [{ role: 'user' as const, content: 'Hello' }];
        await expect(
          openai.chat.completions.create({ model: 'demo', messages }),
        ).rejects.toMatchObject({ status: 400, code: 'no_chat_template' });
      });
      expect(code).toBe(0);
      const document = JSON.parse(stdout);
      const method = flags.length > 0 ? 'skip' : 'autoregressive';
      expect(document).toMatchObject({ model: 'demo', precision: 'int8', method });
      expect(document.profiles).toEqual(flags === named ? ['tales', 'other'] : ['default']);
      expect(document.completion_tokens).toBe(24);
      expect(document.proposed_tokens > 0).toBe(flags.length > 0);
    }
  });

  it('takes the key from the environment and the limits from flags', async () => {
    const mini = writeMiniature(temporaryDirectory(), { contextLength: 64 }).directory;
    vi.stubEnv('SSPEC_API_KEY', 'secret');
    await served(['--model', mini, '--threads', '1', '--max-body', '100'], async (url) => {
      const status = async (headers: Record<string, string>, body = '{}') =>
        (
          await fetch(`${url}/v1/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body,
          })
        ).status;
      expect(await status({})).toBe(401);
      const authorization = 'Bearer secret';
      expect(await status({ authorization })).toBe(400);
      expect(await status({ authorization }, `"${'x'.repeat(200)}"`)).toBe(413);
      // A model without a tokenizer has no text to give.
      const answer = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: '{"prompt": [1, 2]}',
      });
      expect(await answer.json()).toMatchObject({ error: { code: 'no_tokenizer' } });
    });
  });

  it('refuses what it cannot do, before it listens', async () => {
    const refused = async (...argv: string[]) => runCommand(Serve, argv);
    expectRefused(await refused('--port', '70000'), /--port is "70000"/);
    expectRefused(await refused('--temperature', '-1'), /temperature/);
    expectRefused(await refused('--profile', 'no-such.json'), /no-such\.json/);
    expectRefused(await refused('--api-key', ''), /API key is empty/);
    const twice = ['a.json', 'b.json'].flatMap((file) => ['--profile', file]);
    expectRefused(await refused(...twice), /b\.json is the second without a name/);
  });

  it('says so where another program has the port', async () => {
    const { directory } = writeMiniature(temporaryDirectory());
    const other = createNetServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const argv = ['--model', directory, '--threads', '1', '--port', `${port}`];
    expectRefused(await runCommand(Serve, argv), /port \d+: another program listens there/);
    other.close();
  });
});
