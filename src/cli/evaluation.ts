import type { Dataset } from '../datasets/dataset.js';
import { loadDataset } from '../datasets/load.js';
import type { SamplingOptions } from '../decoding/sampling/options.js';
import { InputError } from '../errors.js';
import { auditRecord } from '../evaluation/audit.js';
import { findDivergences } from '../evaluation/divergence.js';
import { type EvaluationDocument, evaluationDocument } from '../evaluation/document.js';
import {
  askedGrid,
  checkGrid,
  type Grid,
  gridPrompts,
  promptsOfLength,
} from '../evaluation/grid.js';
import { prepareOutputDirectory } from '../evaluation/output.js';
import type { ChatChoice } from '../evaluation/prompt-form.js';
import { tokenizePrompts } from '../evaluation/prompts.js';
import { shortOutputs } from '../evaluation/short-outputs.js';
import { evaluationStart } from '../evaluation/start.js';
import { POOLED, summarise } from '../evaluation/summary.js';
import { openUnfinished, type UnfinishedEvaluation } from '../evaluation/unfinished.js';
import { busyWarning, watchOthers } from '../measurement/busy.js';
import { describeEnvironment } from '../measurement/environment.js';
import { readProfile } from '../profile/profile.js';
import { checkMethods, evaluatedMethods } from './evaluated-methods.js';
import { finishedEvaluation, keepEvaluation, keptSamples } from './evaluation-files.js';
import { evaluateWithProgress, stoppedEarly, turnsWithProgress } from './evaluation-progress.js';
import { checkExactness } from './exactness.js';
import { loadModelWithProgress, type ModelFlags } from './load.js';
import { type SamplingFlags, samplingOptions } from './method.js';

/** Values of the flags of `sspec eval`. */
export interface EvaluationFlags extends ModelFlags, SamplingFlags, ChatChoice {
  readonly profile?: readonly string[] | undefined;
  readonly dataset: readonly string[];
  readonly methods?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  readonly 'prompt-tokens'?: readonly number[] | undefined;
  readonly 'max-new-tokens': readonly number[];
  readonly repetitions: number;
  readonly audit: boolean;
  readonly 'output-dir'?: string | undefined;
  readonly force: boolean;
  readonly resume: boolean;
}

/** What an evaluation came to. */
export interface Evaluated {
  readonly document: EvaluationDocument;
  /** Stopped by Ctrl-C: the document is of what had been finished. */
  readonly interrupted: boolean;
  /** Why the folder did not get the results. */
  readonly unwritten: string | undefined;
}

/** How an evaluation is run beside its flags. */
export interface EvaluationRun {
  /** The command line, for the results. */
  readonly command: string;
  /** Generations of every method before the first that counts. */
  readonly warmup: number;
  /** Told on stderr, besides what the document has. */
  readonly notice: (text: string) => void;
}

/**
 * What `sspec eval` does between its flags and what it prints: measures, up to the end or to Ctrl-C, and writes the folder.
 * @throws InputError for flags that do not fit each other, the datasets or the model; before anything is measured.
 */
export async function runEvaluation(
  flags: EvaluationFlags,
  { command, warmup, notice }: EvaluationRun,
): Promise<Evaluated> {
  const { sampling, asked, grid } = checkFlags(flags);
  const { 'output-dir': directory, profile: files = [], coupling, repetitions, quiet } = flags;
  const told: string[] = [];
  const tell = (warnings: readonly (string | undefined)[]) => {
    for (const warning of warnings) {
      if (warning === undefined) continue;
      told.push(warning);
      notice(warning);
    }
  };
  tell([await busyWarning()]);
  const [first] = files;
  const found = first === undefined ? undefined : readProfile(first);
  const model = await loadModelWithProgress(flags, found);
  try {
    const { engine, tokenizer } = model;
    const { methods, profiles, warnings } = evaluatedMethods(flags.methods, files, engine);
    if (grid) checkGrid(grid, engine);
    const lengths = grid?.prompt_tokens;
    const { prompts, datasets, ...of } = lengths
      ? promptsOfLength(model, asked, flags.limit, lengths)
      : tokenizePrompts(model, asked, flags.limit, flags);
    const exactness = await checkExactness(engine, quiet);
    tell([...warnings, ...of.warnings, ...exactness.warnings]);
    const { precision, weightsHash: modelHash } = engine.model;
    const environment = describeEnvironment({ threads: engine.threads, precision, modelHash });
    const maxNewTokens = Math.max(...flags['max-new-tokens']);
    const settings = { methods, sampling, maxNewTokens, repetitions, warmup, coupling };
    const begun = { ...settings, grid };
    const start = evaluationStart(model, begun, methods, datasets, profiles, environment);
    if (directory !== undefined && flags.resume) {
      const document = finishedEvaluation(directory, start, flags.audit);
      if (document) {
        notice(
          `The evaluation in ${directory} is finished: what it found is told again, nothing measured anew.`,
        );
        return { document, interrupted: false, unwritten: undefined };
      }
    }
    const log =
      directory === undefined
        ? undefined
        : openUnfinished(directory, start, { resume: flags.resume, warnings: told });
    let kept: 'written' | 'unwritten' = 'unwritten';
    try {
      const turns = await turnsWithProgress(model, { ...settings, prompts }, quiet);
      tell(turns.warnings);
      const asCells = grid ? gridPrompts(turns.prompts, grid) : turns.prompts;
      const whole = { ...settings, prompts: asCells };
      const earlier = log && keptSamples(log, whole, directory!);
      const othersSince = watchOthers();
      const request = { ...whole, kept: earlier };
      const { result, interrupted } = await evaluateWithProgress(model, request, quiet);
      const measuredIn = { ...environment, others_cpu_share: othersSince() };
      tell([stoppedEarly(result), shortOutputs(result)]);
      const divergences = await findDivergences(engine, result);
      const rows = summarise(result, divergences);
      const document = evaluationDocument(model, result, datasets, rows, measuredIn, {
        ...{ command, profiles, grid },
        warnings: [...new Set([...earlierWarnings(log), ...told])],
        ...(flags.audit && { audit: auditRecord(result, divergences, exactness.exact) }),
      });
      const unwritten = log
        ? await keepEvaluation(directory!, document, result, tokenizer, log.keepsAll())
        : undefined;
      if (!interrupted && unwritten === undefined) kept = 'written';
      return { document, interrupted, unwritten };
    } finally {
      log?.close(kept);
    }
  } finally {
    await model.close();
  }
}

/** What runs before this one were warned of, and that there were some. */
function earlierWarnings(log: UnfinishedEvaluation | undefined): readonly string[] {
  const [first] = log?.sittings ?? [];
  if (!log || first === undefined) return [];
  const begun = `${first.sitting.slice(0, 16).replace('T', ' ')} UTC`;
  return [
    ...log.sittings.flatMap(({ warnings }) => warnings),
    `Measured in ${log.sittings.length + 1} runs, the first of which began at ${begun}.`,
  ];
}

/** Finds out before a model is loaded what can be found out. */
function checkFlags(flags: EvaluationFlags): {
  readonly sampling: SamplingOptions;
  readonly asked: readonly Dataset[];
  readonly grid: Grid | undefined;
} {
  const sampling = samplingOptions(flags);
  const { 'output-dir': directory, profile: files = [] } = flags;
  if (flags.audit && flags.coupling === 'maximal' && sampling.temperature > 0) {
    throw new InputError(
      '--audit compares outputs token by token, and with --coupling maximal only their distribution is the same; leave one of the two out.',
    );
  }
  if (flags['prompt-tokens'] && (flags.chat || flags.system !== undefined)) {
    throw new InputError(
      '--prompt-tokens makes prompts of text to be continued; leave --chat and --system out.',
    );
  }
  checkMethods(flags.methods, files);
  const asked = flags.dataset.map((ref) => loadDataset(ref));
  if (asked.some(({ name }) => name === POOLED)) {
    throw new InputError(
      `"${POOLED}" is what the results of all datasets together are called; give the dataset of that name another.`,
    );
  }
  if (directory !== undefined)
    prepareOutputDirectory(directory, flags.force ? 'force' : flags.resume ? 'resume' : 'nothing');
  return { sampling, asked, grid: askedGrid(flags['prompt-tokens'], flags['max-new-tokens']) };
}
