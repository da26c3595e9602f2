import { loadDataset } from '../datasets/load.js';
import { complete, type Generation } from '../decoding/generate.js';
import { InputError } from '../errors.js';
import { conversationTokens, laterTurns } from '../evaluation/conversation.js';
import { tokenizePrompts } from '../evaluation/prompts.js';
import type { EvaluationPrompt } from '../evaluation/run.js';
import { sumStatistics } from '../evaluation/totals.js';
import { type GenerationFigures, generationFigures } from '../reporting/generation.js';
import { createProgress } from '../reporting/progress.js';
import { type KnownAnswer, openAnswers } from './answers-file.js';
import { type Decoding, prepareDecoding } from './decoding.js';
import type { GenerationFlags } from './generation.js';
import { interruptible } from './interrupt.js';
import { samplingOptions } from './method.js';

/** Values of the flags of `sspec generate --dataset`. */
export interface AnswersFlags extends GenerationFlags {
  readonly dataset: string;
  readonly output: string;
  readonly limit?: number | undefined;
  readonly resume: boolean;
}

/** What `sspec generate --dataset --json` prints. */
export interface AnswersDocument {
  readonly output: string;
  readonly model: string;
  readonly precision: string;
  readonly method: string;
  /** That the file has now. */
  readonly answers: number;
  /** Of those, what an earlier run had made. */
  readonly known: number;
  readonly new_tokens: number;
  /** Of what was made now, all together. */
  readonly stats: GenerationFigures;
}

/**
 * Answers every prompt of a dataset, conversations turn by turn, into a JSONL file that has each answer as soon as it is made.
 * @throws InputError for flags that do not fit each other, the dataset, the file or the model; InterruptedError after Ctrl-C.
 */
export async function answerDataset(
  flags: AnswersFlags,
  notice: (text: string) => void,
): Promise<AnswersDocument> {
  const { output, quiet, stop = [] } = flags;
  if (stop.includes('')) throw new InputError('--stop is empty: give the text to stop at.');
  samplingOptions(flags);
  const dataset = loadDataset(flags.dataset);
  const decoding = await prepareDecoding(flags, notice);
  const { model, method } = decoding;
  try {
    const { prompts, warnings } = tokenizePrompts(model, [dataset], flags.limit, flags);
    for (const warning of warnings) notice(warning);
    const file = openAnswers(output, flags.resume, madeWith(flags, decoding));
    const made: Generation[] = [];
    const started = performance.now();
    const total = prompts.length + laterTurns(prompts);
    const done = file.known.length;
    const progress = createProgress({ label: 'Answering', total, done, unit: 'answers', quiet });
    try {
      await interruptible(async (signal) => {
        for await (const generation of answers(flags, decoding, prompts, file, signal)) {
          made.push(generation);
          progress.update(done + made.length);
        }
      });
    } finally {
      progress.stop();
      file.close();
    }
    const statistics = sumStatistics(made);
    return {
      ...{ output, model: model.reference, precision: model.engine.model.precision },
      ...{ method: method.name, answers: done + made.length, known: done },
      new_tokens: statistics.newTokens,
      stats: generationFigures(statistics, (performance.now() - started) / 1000, made.length),
    };
  } finally {
    await model.close();
  }
}

/** What an answer's text depends on. The method is none of it, but where coupling leaves it only the distribution. */
function madeWith(flags: AnswersFlags, { model, method }: Decoding): object {
  const { temperature, coupling, seed, system, chat, stop = [] } = flags;
  return {
    ...{ model: model.reference, weights_hash: model.engine.model.weightsHash },
    ...{ precision: model.engine.model.precision, max_new_tokens: flags['max-new-tokens'] },
    ...{ temperature, top_k: flags['top-k'], top_p: flags['top-p'], min_p: flags['min-p'] },
    ...{ coupling, seed, chat: chat ?? null, system: system ?? null, stop },
    ignore_eos: flags['ignore-eos'],
    ...(coupling === 'maximal' && temperature > 0 && { method: method.name }),
  };
}

/** Makes the answers that the file does not have, writes each, and gives it. */
async function* answers(
  flags: AnswersFlags,
  decoding: Decoding,
  prompts: readonly EvaluationPrompt[],
  file: ReturnType<typeof openAnswers>,
  signal: AbortSignal,
): AsyncGenerator<Generation, void, void> {
  const keyOf = ({ dataset, id }: Pick<KnownAnswer, 'dataset' | 'id'>) =>
    JSON.stringify([dataset, id]);
  const known = new Map(file.known.map((row) => [keyOf(row), row.text]));
  const made_with = madeWith(flags, decoding);
  const { tokenizer, engine } = decoding.model;
  for (const first of prompts) {
    const { dataset, conversation } = first;
    const said: string[] = [];
    let tokens = first.tokens;
    for (let turn = 1; turn <= (conversation?.turns.length ?? 1); turn++) {
      const id = turn === 1 ? first.id : `${first.id}/turn-${turn}`;
      if (turn > 1 && tokenizer)
        tokens = conversationTokens(tokenizer, conversation!.form, conversation!.turns, said);
      // As in eval, later turns that leave no room are left out.
      if (tokens.length >= engine.config.contextLength) break;
      const there = known.get(keyOf({ dataset, id }));
      if (there !== undefined) {
        said.push(there);
        continue;
      }
      const started = performance.now();
      const generation = await decode(flags, decoding, { ...first, tokens }, signal);
      file.append({
        ...{ id, dataset, turn, prompt_tokens: tokens.length },
        ...{ token_ids: generation.tokens, text: generation.text },
        ...{ finish_reason: generation.finishReason, method: decoding.method.name },
        stats: generationFigures(generation.statistics, (performance.now() - started) / 1000),
        made_with,
      });
      said.push(generation.text);
      yield generation;
    }
  }
}

function decode(
  flags: AnswersFlags,
  { model: { engine, tokenizer }, method }: Decoding,
  { tokens, stop = [] }: EvaluationPrompt,
  signal: AbortSignal,
): Promise<Generation> {
  const request = {
    ...{ prompt: tokens, method, tokenizer, coupling: flags.coupling },
    sampling: samplingOptions(flags),
    stop: [...stop, ...(flags.stop ?? [])],
    maxNewTokens: flags['max-new-tokens'],
    ignoreEos: flags['ignore-eos'],
  };
  return complete(engine, request, signal);
}
