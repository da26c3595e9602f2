import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import type { Comparison } from '../src/evaluation/comparison.js';
import { COMPARISON_FORMATS } from '../src/reporting/compare.js';

const EVALUATION = 'Folder that sspec eval --output-dir wrote, or its results.json.';

export default class Compare extends BaseCommand {
  static override readonly summary = 'Tell which of two evaluations is faster, and by how much.';
  static override readonly description =
    'Paired by prompt: for each dataset and method that both have, the ratio of tokens per second and of speedups, second over first, with a 95% interval by a bootstrap over the prompts in common. What else differs is told: model, precision, machine, settings, prompts. To compare two methods of one evaluation, name it twice.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> old/ new/',
    '<%= config.bin %> <%= command.id %> results/ results/ --method lookup,cascade',
    '<%= config.bin %> <%= command.id %> old/ new/ --method skip:a.json,skip:b.json --format latex',
  ];
  static override readonly args = {
    first: Args.string({ required: true, description: EVALUATION }),
    second: Args.string({ required: true, description: 'Another, or the same.' }),
  };
  static override readonly flags = {
    method: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'X[,Y]',
      summary:
        'Method to compare, or one of each evaluation; METHOD:PROFILE where there are several profiles [default: all that both have].',
    }),
    format: Flags.option({
      options: COMPARISON_FORMATS,
      default: 'table' as const,
      summary: 'How to print; latex is tables with the rules of booktabs.',
    })(),
  };

  /** What is compared; elsewhere it is how to decode. */
  protected override readonly withoutDefault = ['method'];

  async run(): Promise<Comparison> {
    const { args, flags } = await this.parse(Compare);
    const { compareEvaluations } = await import('../src/evaluation/compare.js');
    const { readCompared } = await import('../src/evaluation/compared-file.js');
    const { comparisonNotes, formatComparison } = await import('../src/reporting/compare.js');
    const comparison = compareEvaluations(
      readCompared(args.first),
      readCompared(args.second),
      flags.method,
    );
    this.print(formatComparison(comparison, flags.format));
    // Rows in CSV leave no place for them.
    if (flags.format === 'csv')
      for (const note of comparisonNotes(comparison)) this.notice(note, flags.quiet);
    return comparison;
  }
}
