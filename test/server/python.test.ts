import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { drafting, failures, serve, textModel } from './helpers.js';

/** OpenAI's package for Python, where this machine has it: PYTHON names the interpreter of an environment with it. */
const python = process.env.PYTHON || 'python3';
const hasPackage = spawnSync(python, ['-c', 'import openai']).status === 0;
if (!hasPackage)
  process.stderr.write(`Skipped: ${python} has no package openai (PYTHON names another).\n`);

const PROGRAM = `
import json, sys
from openai import OpenAI, NotFoundError, BadRequestError

client = OpenAI(base_url=sys.argv[1], api_key="any", max_retries=0)
messages = [{"role": "user", "content": "Say something."}]
asked = dict(model="mini", messages=messages, temperature=1, seed=7, max_tokens=30)
whole = client.chat.completions.create(**asked, logprobs=True, top_logprobs=2, n=2)
streamed = ["", ""]
for chunk in client.chat.completions.create(**asked, n=2, stream=True, stream_options={"include_usage": True}):
    for choice in chunk.choices:
        streamed[choice.index] += choice.delta.content or ""
    usage = chunk.usage
legacy = client.completions.create(model="mini", prompt="One", max_tokens=5, logprobs=1, extra_body={"profile": "default"})
errors = []
for wrong in [dict(model="gpt-4o"), dict(temperature=5), dict(tools=[{"type": "function", "function": {"name": "f"}}])]:
    try:
        client.chat.completions.create(**{**asked, **wrong})
    except (NotFoundError, BadRequestError) as error:
        errors.append([type(error).__name__, error.code, error.param])
print(json.dumps({
    "texts": [choice.message.content for choice in whole.choices],
    "logprobs": [[token.logprob for token in choice.logprobs.content] for choice in whole.choices],
    "top": [len(token.top_logprobs) for token in whole.choices[0].logprobs.content],
    "streamed": streamed,
    "usage": usage.completion_tokens,
    "legacy": len(legacy.choices[0].logprobs.tokens),
    "models": [model.id for model in client.models.list()],
    "errors": errors,
}))
`;

it.skipIf(!hasPackage)("OpenAI's package for Python gets the library's text", async () => {
  const model = await textModel();
  const { url } = await serve(model, { method: drafting });
  const { stdout } = await promisify(execFile)(python, ['-c', PROGRAM, `${url}/v1`]);
  const told = JSON.parse(stdout);
  const tokenizer = model.tokenizer!;
  const prompt = tokenizer.encode(tokenizer.chat([{ role: 'user', content: 'Say something.' }]));
  for (const [i, seed] of [7, 8].entries()) {
    const sampling = { ...GREEDY, temperature: 1, seed };
    const made = await complete(model.engine, { prompt, tokenizer, sampling, maxNewTokens: 30 });
    expect(told.texts[i]).toBe(made.text);
    expect(told.streamed[i]).toBe(made.text);
    expect(told.logprobs[i]).toHaveLength(30);
  }
  expect(told).toMatchObject({ top: Array(30).fill(2), usage: 60, legacy: 5, models: ['mini'] });
  expect(told.errors).toEqual([
    ['NotFoundError', 'model_not_found', 'model'],
    ['BadRequestError', 'invalid_value', 'temperature'],
    ['BadRequestError', 'unsupported_parameter', 'tools'],
  ]);
  expect(failures).toEqual([]);
});
