import type { Generation } from '../decoding/generate.js';
import type { Method } from '../decoding/method.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { type GenerateDocument, generationFigures } from '../reporting/generation.js';
import { prepareDecoding } from './decoding.js';
import { createPrinter, decode } from './generation-printer.js';
import { interruptible } from './interrupt.js';
import type { ModelFlags } from './load.js';
import { type MethodFlags, type SamplingFlags, samplingOptions } from './method.js';
import { type PromptFlags, promptTokens, readPrompt } from './prompt.js';

/** Values of the flags of `sspec generate`. */
export interface GenerationFlags extends ModelFlags, MethodFlags, SamplingFlags, PromptFlags {
  readonly chat?: boolean | undefined;
  readonly system?: string | undefined;
  readonly 'max-new-tokens': number;
  readonly stop?: readonly string[] | undefined;
  readonly 'ignore-eos': boolean;
  readonly 'show-draft': boolean;
}

/** How a generation is told of while it runs. */
export interface GenerationOutput {
  /** The text goes to stdout as it is made. */
  readonly isPrinted: boolean;
  /** A sentence for stderr. */
  readonly notice: (text: string) => void;
}

/**
 * What `sspec generate` does between its flags and its figures: decodes a prompt, printing the text.
 * @throws InputError for flags that do not fit each other or the model; InterruptedError after Ctrl-C.
 */
export async function runGeneration(
  flags: GenerationFlags,
  { isPrinted, notice }: GenerationOutput,
): Promise<GenerateDocument> {
  const { stop = [], coupling, quiet } = flags;
  if (stop.includes('')) throw new InputError('--stop is empty: give the text to stop at.');
  const sampling = samplingOptions(flags);
  const source = await readPrompt(flags);
  const { model, method } = await prepareDecoding(flags, notice);
  try {
    const { tokenizer } = model;
    const prompt = promptTokens(source, flags, model);
    const isText = source.kind === 'text' && !flags.chat && flags.system === undefined;
    if (isText && tokenizer?.hasChatTemplate)
      notice(
        'The model has a chat template: with --chat the prompt is a message to it, without it text to be continued.',
      );
    const asked = { prompt, method, sampling, coupling, stop, tokenizer };
    const request = {
      ...asked,
      maxNewTokens: flags['max-new-tokens'],
      ignoreEos: flags['ignore-eos'],
    };
    const show = { isPrinted, showDraft: flags['show-draft'], quiet };
    const printer = createPrinter(tokenizer, show);
    const started = performance.now();
    const generation = await interruptible((signal) =>
      decode(model.engine, request, printer, signal),
    );
    const seconds = (performance.now() - started) / 1000;
    return documentOf(model, method, prompt.length, generation, seconds);
  } finally {
    await model.close();
  }
}

function documentOf(
  { reference, engine, tokenizer }: Model,
  method: Method,
  promptTokens: number,
  { tokens, text, finishReason, statistics }: Generation,
  seconds: number,
): GenerateDocument {
  return {
    model: reference,
    precision: engine.model.precision,
    method: method.name,
    prompt_tokens: promptTokens,
    token_ids: tokens,
    text: tokenizer ? text : null,
    finish_reason: finishReason,
    stats: generationFigures(statistics, seconds),
  };
}
