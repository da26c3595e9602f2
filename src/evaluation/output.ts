import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTextStream } from '../checkpoint/text-stream.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import { InputError } from '../errors.js';
import { errorMessage, makeFolder, writeFileAtomic } from '../files.js';
import type { EvaluationDocument } from './document.js';
import type { EvaluationResult, Sample } from './run.js';

/** What an evaluation leaves in its folder. */
const RESULTS = ['results.json', 'results.csv', 'results.tex', 'samples.jsonl', 'report.html'];
/** What is there as long as it is not finished. */
export const UNFINISHED = 'unfinished.jsonl';

/**
 * Makes the folder that results will go to and tries to write there: better now than after hours of measuring.
 * @param over what may be there: nothing, results that are written over, or an evaluation to go on with.
 * @throws InputError when it cannot be made or written to, or has results already.
 */
export function prepareOutputDirectory(
  directory: string,
  over: 'nothing' | 'force' | 'resume' = 'nothing',
): void {
  const has = (name: string) => existsSync(join(directory, name));
  if (over === 'nothing') {
    const there = RESULTS.find(has);
    const other = 'or name another folder';
    if (has(UNFINISHED))
      throw new InputError(
        `--output-dir ${directory} has an evaluation that was interrupted: give --resume to go on with it, --force to begin anew, ${other}.`,
      );
    if (there !== undefined)
      throw new InputError(
        `--output-dir ${directory} has results already (${there}): give --force to write over them, ${other}.`,
      );
  }
  const probe = join(directory, `.sspec-${process.pid}`);
  try {
    if (directory === '') throw new Error('the name is empty');
    makeFolder(resolve(directory));
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new InputError(
      `--output-dir ${directory}: cannot write there (${errorMessage(error)}); name another folder.`,
    );
  }
}

/**
 * Writes results.json, the tables and samples.jsonl, each of them whole or not at all. results.json is the last: where
 * it is new, so are the others.
 * @param tables the rows as CSV, and as LaTeX.
 * @throws InputError when a file cannot be written.
 */
export function writeEvaluation(
  directory: string,
  document: EvaluationDocument,
  tables: { readonly csv: string; readonly latex: string },
  result: EvaluationResult,
  tokenizer: TextTokenizer | null,
): void {
  const lines = result.samples.map(
    (sample) => `${JSON.stringify(sampleRecord(sample, tokenizer))}\n`,
  );
  writeFileAtomic(join(directory, 'samples.jsonl'), lines.join(''));
  writeFileAtomic(join(directory, 'results.csv'), tables.csv);
  writeFileAtomic(join(directory, 'results.tex'), tables.latex);
  writeFileAtomic(join(directory, 'results.json'), `${JSON.stringify(document, null, 2)}\n`);
}

/**
 * A line of samples.jsonl. `rounds` has a list for each figure, an element for each round after the prefill; `order` is
 * the method's place in this prompt's turn; element i of `pieces` is what token i adds to `text`. Texts are null for a
 * model without a tokenizer.
 */
export function sampleRecord(sample: Sample, tokenizer: TextTokenizer | null) {
  const { prompt, method, statistics, rounds } = sample;
  return {
    dataset: prompt.dataset,
    prompt: prompt.id,
    category: prompt.category ?? null,
    turn: prompt.conversation?.turn ?? 1,
    method: method.name,
    profile: method.profile ?? null,
    repetition: sample.repetition,
    order: sample.order,
    prompt_text: tokenizer ? tokenizer.decode(prompt.tokens) : null,
    prompt_tokens: prompt.tokens.length,
    new_tokens: statistics.newTokens,
    finish_reason: sample.finishReason,
    prefill_seconds: statistics.prefillSeconds,
    decode_seconds: statistics.decodeSeconds,
    draft_seconds: statistics.draftSeconds,
    target_seconds: statistics.targetSeconds,
    elapsed_seconds: sample.elapsedSeconds,
    target_passes: statistics.targetPasses,
    draft_passes: statistics.draftPasses,
    proposed_tokens: statistics.proposedTokens,
    accepted_tokens: statistics.acceptedTokens,
    peak_memory_bytes: sample.peakMemoryBytes,
    token_ids: sample.tokens,
    text: tokenizer ? tokenizer.decode(sample.tokens) : null,
    pieces: tokenizer ? pieces(sample.tokens, tokenizer) : null,
    rounds: {
      drafted: rounds.drafted,
      accepted: rounds.accepted,
      draft_passes: rounds.draftPasses,
      draft_seconds: rounds.draftSeconds,
      target_seconds: rounds.targetSeconds,
    },
  };
}

/** The text that each token adds; half a character waits for the token that completes it. */
function pieces(tokens: readonly number[], tokenizer: TextTokenizer): string[] {
  const stream = createTextStream(tokenizer);
  const list = tokens.map((token) => stream.push(token));
  const rest = stream.end();
  return list.length === 0 ? list : [...list.slice(0, -1), list.at(-1)! + rest];
}
