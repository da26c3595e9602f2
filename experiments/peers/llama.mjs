/** node-llama-cpp as a peer: `node llama.mjs MODEL.gguf THREADS`. Options of a request: `flash`, `lookup`, `prediction`. */
import { answer } from './answer.mjs';

const [file, threads] = process.argv.slice(2);
/** Prompts of Spec-Bench and their answers fit. */
const CONTEXT = 4096;

await answer(async () => {
  const { getLlama, getModuleVersion, InputLookupTokenPredictor, LlamaLogLevel } = await import(
    'node-llama-cpp'
  );
  const llama = await getLlama({
    ...{ gpu: false, build: 'never', maxThreads: Number(threads), skipDownload: true },
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: file });
  const contexts = new Map();

  async function contextOf(flash) {
    const context =
      contexts.get(flash) ??
      (await model.createContext({
        ...{ contextSize: CONTEXT, threads: Number(threads), flashAttention: flash },
      }));
    contexts.set(flash, context);
    return context;
  }

  return {
    version: `node-llama-cpp ${await getModuleVersion()}, llama.cpp ${llama.llamaCppRelease.release}`,
    async generate({ prompt, max_new_tokens: most, eos, options }, arrived) {
      const context = await contextOf(options.flash);
      const sequence = context.getSequence(
        options.lookup && {
          tokenPredictor: new InputLookupTokenPredictor({
            predictionLength: { max: options.prediction },
          }),
        },
      );
      try {
        sequence.tokenPredictor?.updateInputTokens(prompt);
        let made = 0;
        for await (const token of sequence.evaluate(prompt, {
          ...{ temperature: 0, yieldEogToken: true },
        })) {
          arrived([token]);
          if (++made === most || eos.includes(token)) break;
        }
      } finally {
        sequence.dispose();
      }
    },
  };
});
