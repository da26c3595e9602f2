/** transformers.js as a peer: `node transformers-js.mjs FOLDER THREADS`. */
import { answer } from './answer.mjs';

const [folder, threads] = process.argv.slice(2);

await answer(async () => {
  const { AutoModelForCausalLM, BaseStreamer, env, Tensor } = await import(
    '@huggingface/transformers'
  );
  env.allowRemoteModels = false;
  const model = await AutoModelForCausalLM.from_pretrained(folder, {
    // The file as it is: its name has no suffix, its weights are of 8 bits.
    ...{ dtype: 'fp32', device: 'cpu', local_files_only: true },
    session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
  });

  class Arrivals extends BaseStreamer {
    #prompt = true;
    constructor(arrived) {
      super();
      this.arrived = arrived;
    }
    put([ids]) {
      if (!this.#prompt) this.arrived(ids.map(Number));
      this.#prompt = false;
    }
    end() {}
  }

  return {
    version: `transformers.js ${env.version}`,
    async generate({ prompt, max_new_tokens, eos }, arrived) {
      const shape = [1, prompt.length];
      await model.generate({
        inputs: new Tensor('int64', BigInt64Array.from(prompt, BigInt), shape),
        attention_mask: new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), shape),
        ...{ max_new_tokens, do_sample: false, eos_token_id: eos },
        streamer: new Arrivals(arrived),
      });
    },
  };
});
