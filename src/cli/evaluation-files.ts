import { join } from 'node:path';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { InputError } from '../errors.js';
import type { EvaluationDocument } from '../evaluation/document.js';
import { writeEvaluation } from '../evaluation/output.js';
import type { EvaluationResult } from '../evaluation/run.js';
import { evaluationCsv, formatEvaluation } from '../reporting/evaluation.js';
import { readEvaluationInput } from '../reporting/report/inputs.js';
import { writeReport } from '../reporting/report/write.js';

/**
 * Writes an evaluation's files and its page.
 * @returns why not, where the folder cannot be written any more (a full disk): what was measured is still to be printed.
 */
export async function keepEvaluation(
  directory: string,
  document: EvaluationDocument,
  result: EvaluationResult,
  tokenizer: TextTokenizer | null,
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
    if (error instanceof InputError)
      return `${error.message.replace(/\.$/, '')}; ${directory} has not all of what was measured and printed.`;
    throw error;
  }
}
