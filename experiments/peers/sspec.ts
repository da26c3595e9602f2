/** This project as one of the peers: `sspec.ts MODEL THREADS PROFILE`. Option of a request: `method`, a name that a profile serves. */
import { generate } from '../../src/decoding/generate.js';
import { keepDrafts, METHODS } from '../../src/decoding/method.js';
import { profileMethod, readFittingProfile } from '../../src/decoding/profile-method.js';
import { loadModel } from '../../src/engine/load-model.js';
import { toolVersion } from '../../src/measurement/environment.js';
import { answer } from './answer.mjs';

const [reference, threads, file] = process.argv.slice(2);

await answer(async () => {
  const { engine } = await loadModel(reference!, { threads: Number(threads) });
  const fitting = readFittingProfile(file!, engine);
  const methods = new Map(METHODS.map((name) => [String(name), profileMethod(fitting, name)]));
  // Loading the drafts is no part of any generation.
  await keepDrafts(engine, [...methods.values()]);
  return {
    version: `sspec ${toolVersion()}`,
    async generate({ prompt, max_new_tokens: maxNewTokens, options }, arrived) {
      const method = methods.get(String(options.method))!;
      for await (const { tokens } of generate(engine, { prompt, maxNewTokens, method }))
        arrived(tokens);
    },
  };
});
