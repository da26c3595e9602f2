import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { chatFlags, integerFlag, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import { interruptible } from '../src/cli/interrupt.js';
import { storageFlag } from '../src/cli/storage-flag.js';
import type { Model } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import type { DatasetRecord } from '../src/evaluation/prompts.js';
import { samplerNames } from '../src/optimise/sampler.js';
import { type Fidelity, fidelities, MOST_PROMPTS } from '../src/search/defaults.js';
import type { SearchDocument } from '../src/search/search-document.js';
import type { SearchProgress, SearchRequest, SearchStage } from '../src/search/search-request.js';
import type { SearchResult } from '../src/search/search-result.js';

/** What a search does where nothing else is said. */
const DEFAULTS = {
  ladder: { trials: 160, finalists: 2, prompts: 8 },
  decode: { trials: 30, finalists: 2, prompts: 8 },
} as const satisfies Record<Fidelity, object>;

export default class Search extends BaseCommand {
  static override readonly summary = 'Find a skip mask for a model on a task, and write a profile.';
  static override readonly description =
    `Every trial scores a mask: one pass over the model's own continuations of calibration prompts shows what its draft would
propose, and a cost model calibrated at the start turns that into the speedup of the best draft-length rule (--fidelity
ladder; decode measures every trial by real decoding). The best few then decode all calibration prompts, and so do prompt
lookup and the cascade, interleaved with autoregressive decoding; the winner is measured on held-out prompts, and that is the speedup to believe. Of long datasets
the first ${MOST_PROMPTS.calibration} calibration and ${MOST_PROMPTS.holdout} held-out prompts are used; sspec eval measures a profile on more. A study is a journal:
interrupted at any moment, --resume goes on with it.`;
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
    trials: integerFlag('trials', 1)({ summary: byFidelity('Candidates to try', 'trials') }),
    timeout: Flags.string({
      helpValue: '90s|10m',
      summary: 'Start no trial later than this; the final measurements still follow.',
    }),
    sampler: Flags.option({
      options: samplerNames,
      default: 'bo' as const,
      summary: 'How masks are proposed.',
      description: `bo: Bayesian optimisation over skip masks. The published ways, for comparison: relaxed-gp (Draft & Verify: a Gaussian
process on relaxed bits, cut at 0.5), swift (SWIFT: a fixed share skipped, at random, every 25th trial modelled), dp (CLaSp,
KnapSpec: dynamic programming on hidden states). greedy: along the leave-one-out ranking; random: the baseline.`,
    })(),
    fidelity: Flags.option({
      options: fidelities,
      default: 'ladder' as const,
      summary:
        'ladder: trials are scored by replay and a cost model; decode: by real decoding, as in the paper.',
    })(),
    finalists: integerFlag(
      'finalists',
      1,
    )({
      summary: byFidelity(
        'Candidates that decode all calibration prompts before the winner is chosen',
        'finalists',
      ),
    }),
    'prompts-per-trial': integerFlag(
      'prompts-per-trial',
      1,
    )({
      summary: byFidelity('Calibration prompts that a trial is scored on', 'prompts'),
    }),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      2,
    )({
      default: 48,
      summary: 'Most tokens to make for a prompt.',
    }),
    ...seedFlag,
    study: Flags.string({
      helpValue: 'NAME',
      summary:
        'Name of the study [default: made of model, dataset and settings, with a number where that is taken].',
    }),
    ...storageFlag,
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
    const { samplingOptions } = await import('../src/cli/method.js');
    const { checkExactness } = await import('../src/cli/exactness.js');
    const { loadModelWithProgress } = await import('../src/cli/load.js');
    const { openStorage } = await import('../src/cli/storage.js');
    const { checkWritable } = await import('../src/files.js');
    const { busyWarning } = await import('../src/measurement/busy.js');
    const { updateProfile, writeProfile } = await import('../src/profile/profile.js');
    const { finishedSearch, noteFinished } = await import('../src/search/finished-search.js');
    const { foundProfile } = await import('../src/search/found-profile.js');
    const { runSearch } = await import('../src/search/run.js');
    const { chooseHoldout } = await import('../src/search/holdout.js');
    const { openSearchStudy } = await import('../src/study/open-search-study.js');
    const { searchDocument } = await import('../src/search/search-document.js');
    const { defaultStudyName } = await import('../src/study/default-name.js');

    const sampling = samplingOptions({ ...flags, coupling: 'gumbel' });
    const defaults = DEFAULTS[flags.fidelity];
    const promptsPerTrial = flags['prompts-per-trial'] ?? defaults.prompts;
    const timeoutSeconds = parseDuration(flags.timeout);
    checkWritable(flags.output);
    const busy = await busyWarning();
    if (busy !== undefined) this.notice(busy, flags.quiet);
    const model = await loadModelWithProgress(flags);
    const storage = openStorage(flags.storage);
    try {
      const split = chooseHoldout(model, flags.dataset, flags.holdout, flags.seed, flags);
      const { warnings } = await checkExactness(model.engine, flags.quiet);
      for (const warning of [...split.warnings, ...warnings]) this.notice(warning, flags.quiet);
      const settings = {
        maxNewTokens: flags['max-new-tokens'],
        repetitions: 1,
        warmup: 2,
        sampling,
        coupling: 'gumbel' as const,
      };
      const { engine } = model;
      const { study, notice } = await openSearchStudy(storage, {
        asked: flags.study,
        resume: flags.resume,
        defaultName: defaultStudyName({
          ...flags,
          model: model.reference,
          precision: engine.model.precision,
          dataset: split.calibration.dataset.name,
          sampling,
        }),
        start: {
          sampler: flags.sampler,
          seed: flags.seed,
          bits: 2 * engine.config.layers,
          context: {
            weights_hash: engine.model.weightsHash,
            precision: engine.model.precision,
            threads: engine.threads,
            fidelity: flags.fidelity,
            dataset: identity(split.calibration.dataset),
            holdout: identity(split.holdout.dataset),
            prompts_per_trial: promptsPerTrial,
            max_new_tokens: settings.maxNewTokens,
            temperature: sampling.temperature,
            top_k: sampling.topK,
            top_p: sampling.topP,
            min_p: sampling.minP,
          },
        },
      });
      if (notice !== undefined) this.notice(notice, flags.quiet);
      try {
        const studyName = study.header.study;
        const command = commandLine('search', this.argv);
        const request: SearchRequest = {
          sampler: flags.sampler,
          fidelity: flags.fidelity,
          seed: flags.seed,
          trials: flags.trials ?? defaults.trials,
          ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
          finalists: flags.finalists ?? defaults.finalists,
          promptsPerTrial,
          calibration: split.calibration.prompts,
          holdout: split.holdout.prompts,
          settings,
          study,
        };
        const known = finishedSearch(study, request);
        if (known) {
          updateProfile(flags.output, known.profile);
          const text = `Study ${studyName} is finished: what it found is told again, nothing measured anew.`;
          this.notice(text, flags.quiet);
          const document = { ...known.document, profile: flags.output };
          await this.show(document, model);
          return document;
        }
        await study.append({ type: 'note', key: 'command', value: command });
        await study.append({ type: 'note', key: 'model', value: model.reference });
        const result = await interruptible((signal) =>
          searchWithProgress(runSearch, model, { ...request, signal }, flags.quiet),
        );
        const profile = foundProfile(engine, request, result, {
          reference: model.reference,
          studyName,
          dataset: split.calibration.dataset,
          holdout: split.holdout.dataset,
          command,
        });
        writeProfile(flags.output, profile);
        const document = searchDocument(studyName, request, result, flags.output, split, started);
        await noteFinished(study, request, { profile, document });
        await this.show(document, model);
        return document;
      } finally {
        await study.close();
      }
    } finally {
      await model.close();
    }
  }

  private async show(document: SearchDocument, { reference, engine }: Model): Promise<void> {
    if (this.jsonEnabled()) return;
    const { formatSearch } = await import('../src/reporting/search.js');
    const searched = { reference, precision: engine.model.precision };
    this.print(formatSearch(document, engine.config.layers, searched));
  }
}

function byFidelity(text: string, of: keyof (typeof DEFAULTS)['ladder']): string {
  return `${text} [default: ${DEFAULTS.ladder[of]}; with --fidelity decode ${DEFAULTS.decode[of]}].`;
}

/** What tells one set of prompts from another; the name says which share of a dataset it is. */
function identity({ name, hash, chat_template, system }: DatasetRecord) {
  return { name, hash, ...(chat_template && { chat_template, ...(system && { system }) }) };
}

/** @throws InputError for anything that is not like `90s`, `10m`, `2h` or a number of seconds. */
function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text.trim());
  const seconds = match ? Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] ?? 's']! : 0;
  if (seconds > 0) return seconds;
  throw new InputError(`--timeout is "${text}": give a time such as 90s, 10m or 2h.`);
}

async function searchWithProgress(
  runSearch: (model: Model, request: SearchRequest) => Promise<SearchResult>,
  model: Model,
  request: SearchRequest,
  quiet: boolean,
): Promise<SearchResult> {
  const { createProgress } = await import('../src/reporting/progress.js');
  const { formatSpeedup } = await import('../src/reporting/format.js');
  const labels = {
    costs: ['Timing passes', 'masks'],
    references: ["The model's own continuations", 'prompts'],
    sweep: ['Skipping each sublayer by itself', 'passes'],
    plan: ['Planning skips by hidden states', 'sublayers'],
    trials: ['Trials', 'trials'],
    shortlist: ['The best on all calibration prompts', 'masks'],
    finalists: ['Finalists decode the calibration prompts', 'prompts'],
    holdout: ['Winner on held-out prompts', 'generations'],
  } as const satisfies Record<SearchStage, readonly [string, string]>;
  let shown: { stage: string; progress: ReturnType<typeof createProgress> } | undefined;
  const onProgress = ({ stage, done, total, best }: SearchProgress) => {
    if (shown?.stage !== stage) {
      shown?.progress.stop();
      const [label, unit] = labels[stage];
      shown = { stage, progress: createProgress({ label, total, done, unit, quiet }) };
    }
    shown.progress.update(
      done,
      stage === 'trials' && best ? `best ${formatSpeedup(best)}` : undefined,
    );
  };
  try {
    return await runSearch(model, { ...request, onProgress });
  } finally {
    shown?.progress.stop();
  }
}
