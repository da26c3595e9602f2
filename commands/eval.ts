import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { chatFlags, integerFlag, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import { interruptible } from '../src/cli/interrupt.js';
import { METHODS } from '../src/decoding/method.js';
import type { Model } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import type { AllTurns, LaterTurnsRequest } from '../src/evaluation/conversation.js';
import type { EvaluationDocument } from '../src/evaluation/document.js';
import type { EvaluationRequest, EvaluationResult } from '../src/evaluation/run.js';
import { EVALUATION_FORMATS } from '../src/reporting/evaluation.js';

/** Generations of every method before the first that counts. */
const WARMUP = 2;

const MEASURING = 'MEASURING';

export default class Eval extends BaseCommand {
  static override readonly summary = 'Measure profiles and baselines on datasets.';
  static override readonly description =
    'Every prompt is decoded by all methods in turn, several times over. Speedups are over autoregressive decoding, the prefill left out, with a 95% interval. Outputs are compared token by token.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --profile profile.json',
    '<%= config.bin %> <%= command.id %> --profile a.json --profile b.json --dataset code,math --limit 10',
    '<%= config.bin %> <%= command.id %> --methods lookup --dataset prompts.jsonl --format md',
  ];
  static override readonly flags = {
    profile: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
      summary: 'Skip profile to measure, as a row of its own; may be repeated.',
    }),
    dataset: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      default: ['heldout'],
      helpValue: 'REF,…',
      summary: 'Prompts: bundled datasets (sspec dataset list) or JSONL, CSV or text files.',
    }),
    methods: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      options: METHODS,
      helpValue: METHODS.join(','),
      summary:
        'Methods to measure; autoregressive always is [default: lookup, and what each profile decodes with].',
    }),
    limit: integerFlag('limit', 1)({ summary: 'Most prompts of each dataset [default: all].' }),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      1,
    )({
      default: 128,
      summary: 'Most tokens to make for a prompt.',
    }),
    ...seedFlag,
    repetitions: integerFlag(
      'repetitions',
      1,
    )({
      default: 3,
      helpGroup: MEASURING,
      helpValue: 'R',
      summary: 'Times that every prompt is decoded with every method.',
    }),
    warmup: Flags.boolean({
      default: true,
      allowNo: true,
      helpGroup: MEASURING,
      summary: `Let every method decode ${WARMUP} prompts before the first that counts.`,
    }),
    audit: Flags.boolean({
      helpGroup: MEASURING,
      summary:
        'Say how many outputs and tokens were compared with autoregressive decoding and what was found; exit with 1 when one differs by a defect.',
    }),
    'output-dir': Flags.string({
      helpValue: 'DIR',
      summary: 'Folder for results.json, results.csv, samples.jsonl and report.html.',
    }),
    format: Flags.option({
      options: EVALUATION_FORMATS,
      default: 'table' as const,
      summary: 'How to print the rows.',
    })(),
    ...samplingFlags,
    ...chatFlags,
    ...modelFlags,
  };

  async run(): Promise<EvaluationDocument> {
    const { flags } = await this.parse(Eval);
    const { commandLine } = await import('../src/cli/command-line.js');
    const { checkMethods, evaluatedMethods } = await import('../src/cli/evaluated-methods.js');
    const { samplingOptions } = await import('../src/cli/method.js');
    const { checkExactness } = await import('../src/cli/exactness.js');
    const { loadModelWithProgress } = await import('../src/cli/load.js');
    const { loadDataset } = await import('../src/datasets/load.js');
    const { evaluationDocument } = await import('../src/evaluation/document.js');
    const { auditRecord } = await import('../src/evaluation/audit.js');
    const { findDivergences } = await import('../src/evaluation/divergence.js');
    const { prepareOutputDirectory, writeEvaluation } = await import('../src/evaluation/output.js');
    const { tokenizePrompts } = await import('../src/evaluation/prompts.js');
    const { shortOutputs } = await import('../src/evaluation/short-outputs.js');
    const { POOLED, summarise } = await import('../src/evaluation/summary.js');
    const { readProfile } = await import('../src/profile/profile.js');
    const { busyWarning, watchOthers } = await import('../src/measurement/busy.js');
    const { describeEnvironment } = await import('../src/measurement/environment.js');
    const { auditSentence, evaluationCsv, formatEvaluation } = await import(
      '../src/reporting/evaluation.js'
    );
    const { readEvaluationInput } = await import('../src/reporting/report/inputs.js');
    const { writeReport } = await import('../src/reporting/report/write.js');

    const sampling = samplingOptions(flags);
    const { 'output-dir': directory, profile: files = [] } = flags;
    if (flags.audit && flags.coupling === 'maximal' && sampling.temperature > 0) {
      throw new InputError(
        '--audit compares outputs token by token, and with --coupling maximal only their distribution is the same; leave one of the two out.',
      );
    }
    checkMethods(flags.methods, files);
    const refs = flags.dataset.map((ref) => loadDataset(ref));
    if (refs.some(({ name }) => name === POOLED)) {
      throw new InputError(
        `"${POOLED}" is what the results of all datasets together are called; give the dataset of that name another.`,
      );
    }
    if (directory !== undefined) prepareOutputDirectory(directory);
    const busy = await busyWarning();
    if (busy !== undefined) this.notice(busy, flags.quiet);
    const [first] = files;
    const model = await loadModelWithProgress(
      flags,
      first === undefined ? undefined : readProfile(first),
    );
    try {
      const { methods, profiles, warnings } = evaluatedMethods(flags.methods, files, model.engine);
      const {
        prompts,
        datasets,
        warnings: leftOut,
      } = tokenizePrompts(model, refs, flags.limit, flags);
      const exactness = await checkExactness(model.engine, flags.quiet);
      const notices = [...warnings, ...leftOut, ...exactness.warnings];
      for (const warning of notices) this.notice(warning, flags.quiet);
      const { threads } = model.engine;
      const { precision, weightsHash: modelHash } = model.engine.model;
      const environment = describeEnvironment({ threads, precision, modelHash });
      const settings = {
        methods,
        sampling,
        maxNewTokens: flags['max-new-tokens'],
        repetitions: flags.repetitions,
        warmup: flags.warmup ? WARMUP : 0,
        coupling: flags.coupling,
      };
      const turns = await interruptible((signal) =>
        turnsWithProgress(model, { ...settings, prompts, signal }, flags.quiet),
      );
      for (const warning of turns.warnings) this.notice(warning, flags.quiet);
      const request = { ...settings, prompts: turns.prompts };
      const othersSince = watchOthers();
      const result = await interruptible((signal) =>
        evaluateWithProgress(model, { ...request, signal }, flags.quiet),
      );
      const measuredIn = { ...environment, others_cpu_share: othersSince() };
      const short = shortOutputs(result);
      if (short !== undefined) this.notice(short, flags.quiet);
      const divergences = await findDivergences(model.engine, result);
      const rows = summarise(result, divergences);
      const document = evaluationDocument(model, result, datasets, rows, measuredIn, {
        command: commandLine('eval', this.argv),
        profiles,
        warnings: [busy, ...notices, ...turns.warnings, short].filter((one) => one !== undefined),
        ...(flags.audit && { audit: auditRecord(result, divergences, exactness.exact) }),
      });
      if (directory !== undefined) {
        writeEvaluation(directory, document, evaluationCsv(document), result, model.tokenizer);
        await writeReport([readEvaluationInput(directory)], {
          output: join(directory, 'report.html'),
        });
      }
      this.print(formatEvaluation(document, flags.format));
      // Rows in CSV leave no place for it.
      if (document.audit && flags.format === 'csv')
        this.notice(auditSentence(document.audit), flags.quiet);
      const isDefective = rows.some((row) => row.divergences.some(({ kind }) => kind === 'defect'));
      if (flags.audit && isDefective) process.exitCode = 1;
      return document;
    } finally {
      await model.close();
    }
  }
}

/** Decodes the answers that the later turns of conversations follow. */
async function turnsWithProgress(
  model: Model,
  request: LaterTurnsRequest,
  quiet: boolean,
): Promise<AllTurns> {
  const { addLaterTurns, laterTurns } = await import('../src/evaluation/conversation.js');
  const { createProgress } = await import('../src/reporting/progress.js');
  const total = laterTurns(request.prompts);
  if (total === 0) return { prompts: request.prompts, warnings: [] };
  const label = 'Answering the turns before later ones';
  const progress = createProgress({ label, total, unit: 'answers', quiet });
  try {
    return await addLaterTurns(model, { ...request, onProgress: (done) => progress.update(done) });
  } finally {
    progress.stop();
  }
}

async function evaluateWithProgress(
  model: Parameters<typeof import('../src/evaluation/run.js').evaluate>[0],
  request: EvaluationRequest,
  quiet: boolean,
): Promise<EvaluationResult> {
  const { evaluate } = await import('../src/evaluation/run.js');
  const { createProgress } = await import('../src/reporting/progress.js');
  const { prompts, methods, repetitions, warmup } = request;
  const total = (methods.length + 1) * (warmup + prompts.length * repetitions);
  const progress = createProgress({ label: 'Measuring', total, unit: 'generations', quiet });
  try {
    return await evaluate(model, { ...request, onProgress: (done) => progress.update(done) });
  } finally {
    progress.stop();
  }
}
