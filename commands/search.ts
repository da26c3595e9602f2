import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { chatFlags, integerFlag, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import { interruptible } from '../src/cli/interrupt.js';
import { countFlag, durationFlag } from '../src/cli/search-flags.js';
import { storageFlag } from '../src/cli/storage-flag.js';
import { samplerNames } from '../src/optimise/sampler.js';
import { fidelities, MAX_NEW_TOKENS, MOST_PROMPTS } from '../src/search/defaults.js';
import type { SearchDocument } from '../src/search/search-document.js';

export default class Search extends BaseCommand {
  static override readonly summary = 'Find a skip mask for a model on a task, and write a profile.';
  static override readonly description =
    `Every trial scores a mask: one pass over the model's own continuations of calibration prompts shows what its draft would propose, and a cost model calibrated at the start turns that into the speedup of the best draft-length rule (--fidelity ladder; decode measures every trial by real decoding). The best few then decode all calibration prompts, and so do prompt lookup and the cascade, interleaved with autoregressive decoding; the winner is measured on held-out prompts, and that is the speedup to believe. Of long datasets the first ${MOST_PROMPTS.calibration} calibration and ${MOST_PROMPTS.holdout} held-out prompts are used; sspec eval measures a profile on more. A study is a journal: interrupted at any moment, --resume goes on with it.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dataset code --holdout code --trials 100 --output code.json',
    '<%= config.bin %> <%= command.id %> --dataset prompts.jsonl --holdout 0.3 --study mine --resume',
    '<%= config.bin %> <%= command.id %> --model ./chat-model.gguf --dataset questions.jsonl --chat',
    '<%= config.bin %> <%= command.id %> --model ./my-model --timeout 10m --fidelity decode',
    '<%= config.bin %> <%= command.id %> --sampler relaxed-gp --fidelity decode --trials 1000 --resume',
    '<%= config.bin %> <%= command.id %> --temperature 0.8 --top-p 0.95 --output sampling.json',
  ];
  static override readonly flags = {
    dataset: Flags.string({
      helpValue: 'REF',
      summary:
        'Prompts to search on: a bundled dataset (sspec dataset list) or a JSONL, CSV or text file [default: chat for a model with a chat template, else calibration].',
    }),
    holdout: Flags.string({
      helpValue: 'REF|FRACTION',
      summary:
        'Prompts to measure the winner on, or the share of --dataset to set aside [default: the held-out prompts of a bundled dataset, else 0.3].',
    }),
    trials: countFlag('trials', 'Candidates to try', 'trials'),
    timeout: durationFlag('timeout')({
      summary:
        'Start no trial later than this after the beginning; what comes before the first (said at once) counts, and the final measurements follow.',
    }),
    sampler: Flags.option({
      options: samplerNames,
      default: 'bo' as const,
      summary: 'How masks are proposed.',
      description: `bo: Bayesian optimisation over skip masks. The published ways, for comparison: relaxed-gp (Draft & Verify: a Gaussian process on relaxed bits, cut at 0.5), swift (SWIFT: a fixed share skipped, at random, every 25th trial modelled), dp (CLaSp, KnapSpec: dynamic programming on hidden states). greedy: along the leave-one-out ranking; random: the baseline.`,
    })(),
    fidelity: Flags.option({
      options: fidelities,
      default: 'ladder' as const,
      summary:
        'ladder: trials are scored by replay and a cost model; decode: by real decoding, as in the paper.',
    })(),
    finalists: countFlag(
      'finalists',
      'Candidates that decode all calibration prompts before the winner is chosen',
      'finalists',
    ),
    'prompts-per-trial': countFlag(
      'prompts-per-trial',
      'Calibration prompts that a trial is scored on',
      'promptsPerTrial',
    ),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      2,
    )({
      default: MAX_NEW_TOKENS,
      summary: 'Most tokens to make for a prompt.',
    }),
    ...seedFlag,
    study: Flags.string({
      helpValue: 'NAME',
      summary:
        'Name of the study [default: made of model, dataset and settings, with a number where that is taken].',
    }),
    ...storageFlag,
    workers: integerFlag(
      'workers',
      1,
    )({
      summary:
        'Trials that workers on other machines (sspec worker) score at once, up to 63; needs --storage postgres://…',
    }),
    resume: Flags.boolean({
      summary: 'Go on with the study if it is there; without --study, with the latest that fits.',
    }),
    output: Flags.string({
      char: 'o',
      default: 'profile.json',
      helpValue: 'FILE',
      summary: 'Where the profile goes.',
    }),
    temperature: samplingFlags.temperature,
    'top-k': samplingFlags['top-k'],
    'top-p': samplingFlags['top-p'],
    'min-p': samplingFlags['min-p'],
    ...chatFlags,
    ...modelFlags,
  };

  async run(): Promise<SearchDocument> {
    const { flags } = await this.parse(Search);
    const started = performance.now();
    const { commandLine } = await import('../src/cli/command-line.js');
    const { checkExactness } = await import('../src/cli/exactness.js');
    const { loadModelWithProgress } = await import('../src/cli/load.js');
    const { samplingOptions } = await import('../src/cli/method.js');
    const { openStorage } = await import('../src/cli/storage.js');
    const { checkWritable } = await import('../src/files.js');
    const { busyWarning } = await import('../src/measurement/busy.js');
    const { createSearchProgress } = await import('../src/reporting/search-progress.js');
    const { searchModel } = await import('../src/search/search-model.js');

    const options = {
      ...flags,
      storage: openStorage(flags.storage),
      timeoutSeconds: flags.timeout,
      promptsPerTrial: flags['prompts-per-trial'],
      maxNewTokens: flags['max-new-tokens'],
      sampling: samplingOptions({ ...flags, coupling: 'gumbel' }),
      command: commandLine('search', this.argv),
      started,
      onNotice: (sentence: string) => this.notice(sentence, flags.quiet),
    };
    checkWritable(flags.output);
    const busy = await busyWarning();
    if (busy !== undefined) options.onNotice(busy);
    const model = await loadModelWithProgress(flags);
    const progress = createSearchProgress(flags.quiet);
    try {
      const { warnings } = await checkExactness(model.engine, flags.quiet);
      warnings.forEach(options.onNotice);
      const { document } = await interruptible((signal) =>
        searchModel(model, {
          ...options,
          warnings: busy === undefined ? [] : [busy],
          signal,
          onProgress: progress.update,
        }),
      ).finally(progress.stop);
      if (!this.jsonEnabled()) {
        const { formatSearch } = await import('../src/reporting/search.js');
        const { reference, engine } = model;
        const searched = { reference, precision: engine.model.precision };
        this.print(formatSearch(document, engine.config.layers, searched));
      }
      return document;
    } finally {
      await model.close();
    }
  }
}
