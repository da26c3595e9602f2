/** The folder of an evaluation: what is there before it, as it goes, and at its end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { InputError } from '../errors.js';
import type { EvaluationDocument } from '../evaluation/document.js';
import { UNFINISHED, writeEvaluation } from '../evaluation/output.js';
import { pastSamples } from '../evaluation/past-samples.js';
import { readResults } from '../evaluation/results-file.js';
import type {
  EvaluationPrompt,
  EvaluationRequest,
  EvaluationResult,
  KeptGenerations,
  NamedMethod,
  Sample,
} from '../evaluation/run.js';
import { type EvaluationStart, startFault, startOf } from '../evaluation/start.js';
import type { UnfinishedEvaluation } from '../evaluation/unfinished.js';
import { evaluationCsv, formatEvaluation } from '../reporting/evaluation.js';
import { readEvaluationInput } from '../reporting/report/inputs.js';
import { writeReport } from '../reporting/report/write.js';

/**
 * The results of a folder whose evaluation has run to its end; undefined where there are none, or where one is under way.
 * @throws InputError when they are of something else than `start`, or of a part that cannot be gone on with.
 */
export function finishedEvaluation(
  directory: string,
  start: EvaluationStart,
  audit: boolean,
): EvaluationDocument | undefined {
  const file = join(directory, 'results.json');
  if (existsSync(join(directory, UNFINISHED)) || !existsSync(file)) return undefined;
  const document = readResults(file);
  const again = 'give --force to measure anew, or name another folder';
  const fault = startFault(startOf(document), start);
  if (fault !== undefined)
    throw new InputError(`The evaluation in ${directory} ${fault}: ${again}.`);
  if (document.partial)
    throw new InputError(
      `The evaluation in ${directory} was interrupted, and its ${UNFINISHED} is gone: ${again}.`,
    );
  if (audit && !document.audit)
    throw new InputError(`The evaluation in ${directory} is finished and has no audit: ${again}.`);
  return document;
}

/**
 * What earlier runs measured, and where more of it goes.
 * @throws InputError for a generation that this run does not have, or that is there twice.
 */
export function keptSamples(
  { past, append }: Pick<UnfinishedEvaluation, 'past' | 'append'>,
  request: Pick<EvaluationRequest, 'prompts' | 'methods' | 'repetitions'>,
  directory: string,
): KeptGenerations {
  const sampleOf = pastSamples(request.prompts, request.methods);
  const keyOf = (prompt: EvaluationPrompt, method: NamedMethod, repetition: number) =>
    JSON.stringify([prompt.dataset, prompt.id, method.name, method.profile ?? null, repetition]);
  const found = new Map<string, Sample>();
  for (const generation of past) {
    const fault = (what: string) =>
      new InputError(
        `${join(directory, UNFINISHED)} has a generation of ${generation.prompt} by ${generation.method} ${what}: give --force to measure anew, or name another folder.`,
      );
    const sample = sampleOf(generation);
    if (!sample || sample.repetition >= request.repetitions)
      throw fault('that this run does not measure');
    const key = keyOf(sample.prompt, sample.method, sample.repetition);
    if (found.has(key)) throw fault('twice');
    found.set(key, sample);
  }
  return {
    find: (prompt, method, repetition) => found.get(keyOf(prompt, method, repetition)),
    keep: append,
  };
}

/**
 * Writes an evaluation's files and its page.
 * @returns why not, where the folder cannot be written any more (a full disk): what was measured is still to be printed.
 */
export async function keepEvaluation(
  directory: string,
  document: EvaluationDocument,
  result: EvaluationResult,
  tokenizer: TextTokenizer | null,
  isKept: boolean,
): Promise<string | undefined> {
  try {
    const tables = {
      csv: evaluationCsv(document),
      latex: `${formatEvaluation(document, 'latex')}\n`,
    };
    writeEvaluation(directory, document, tables, result, tokenizer);
    const output = join(directory, 'report.html');
    await writeReport([readEvaluationInput(directory)], { output });
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const way = isKept
      ? '--resume writes it without measuring again'
      : '--resume goes on from what was kept';
    return `${error.message.replace(/\.$/, '')}; ${directory} has not all of what was measured and printed: ${way}.`;
  }
}
