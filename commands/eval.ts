import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { chatFlags, integerFlag, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import { METHODS } from '../src/decoding/method.js';
import type { EvaluationDocument } from '../src/evaluation/document.js';
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
    '<%= config.bin %> <%= command.id %> --dataset code --limit 5 --prompt-tokens 64,256 --max-new-tokens 32,128',
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
      helpValue: 'REF[,REF]',
      summary: 'Prompts: bundled datasets (sspec dataset list) or JSONL, CSV or text files.',
    }),
    methods: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      options: METHODS,
      helpValue: 'X[,Y]',
      summary: `Methods to measure (${METHODS.join(', ')}); autoregressive always is [default: lookup, and what each profile decodes with].`,
    }),
    limit: integerFlag('limit', 1)({ summary: 'Most prompts of each dataset [default: all].' }),
    'prompt-tokens': integerFlag(
      'prompt-tokens',
      1,
    )({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'N[,N]',
      summary:
        'Make prompts of exactly so many tokens, as text to be continued: the end of a longer one, a shorter one after others of its dataset.',
    }),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      1,
    )({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      default: [128],
      helpValue: 'N[,N]',
      summary:
        'Most tokens to make for a prompt; several, or --prompt-tokens, make a grid with a row for each cell.',
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
      summary:
        'Folder for results.json, results.csv, results.tex, samples.jsonl and report.html; Ctrl-C writes what was finished.',
    }),
    resume: Flags.boolean({
      dependsOn: ['output-dir'],
      summary: 'Go on with the evaluation that was interrupted in the folder, if there is one.',
    }),
    force: Flags.boolean({
      dependsOn: ['output-dir'],
      exclusive: ['resume'],
      summary: 'Write over the results that the folder has.',
    }),
    format: Flags.option({
      options: EVALUATION_FORMATS,
      default: 'table' as const,
      summary: 'How to print the rows; latex is a table with the rules of booktabs.',
    })(),
    ...samplingFlags,
    ...chatFlags,
    ...modelFlags,
  };

  async run(): Promise<EvaluationDocument> {
    const { flags } = await this.parse(Eval);
    const { commandLine } = await import('../src/cli/command-line.js');
    const { runEvaluation } = await import('../src/cli/evaluation.js');
    const { EXIT, resumption } = await import('../src/cli/failure.js');
    const { tell } = await import('../src/cli/tell.js');
    const { auditSentence, formatEvaluation } = await import('../src/reporting/evaluation.js');
    const { document, interrupted, unwritten } = await runEvaluation(flags, {
      // One run measures the same as several.
      command: commandLine(
        'eval',
        this.argv.filter((argument) => argument !== '--resume'),
      ),
      warmup: flags.warmup ? WARMUP : 0,
      notice: (text) => this.notice(text, flags.quiet),
    });
    this.print(formatEvaluation(document, flags.format));
    // Rows in CSV leave no place for it.
    if (document.audit && flags.format === 'csv')
      this.notice(auditSentence(document.audit), flags.quiet);
    const isDefective = document.rows.some(({ divergences }) =>
      divergences.some(({ kind }) => kind === 'defect'),
    );
    if (unwritten !== undefined) tell('Error', unwritten);
    if (unwritten !== undefined || (flags.audit && isDefective)) process.exitCode = EXIT.failed;
    if (interrupted) {
      process.exitCode = EXIT.interrupted;
      const resume = resumption(['eval', ...this.argv]);
      if (resume !== undefined) {
        this.notice('--resume goes on with what is missing:', flags.quiet);
        if (!flags.quiet) process.stderr.write(`  ${resume}\n`);
      }
    }
    return document;
  }
}
