import { Args } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { integerFlag } from '../../src/cli/flags.js';
import { storageFlag } from '../../src/cli/storage-flag.js';
import type { SublayerEffect } from '../../src/optimise/sublayer-effects.js';
import type { StudyHeader } from '../../src/study/events.js';
import type { FinishedTrial, StudySummary } from '../../src/study/summary.js';

/** What `--json` prints. */
interface StudyDocument {
  readonly study: string;
  readonly sampler: string;
  readonly seed: number;
  readonly created: string;
  readonly layers: number;
  readonly context: StudyHeader['context'];
  readonly trials: { readonly finished: number; readonly failed: number; readonly open: number };
  /** null before the first trial has finished. */
  readonly best: FinishedTrial | null;
  readonly top: readonly FinishedTrial[];
  /** Trials that no other beats in both draft acceptance and c, the cheapest first. */
  readonly pareto: readonly FinishedTrial[];
  /** What flipping one sublayer of the best mask would do, the largest effects first. */
  readonly sublayers: readonly SublayerEffect[];
  readonly notes: StudySummary['notes'];
}

/** Lists of layers stay in one piece up to this length: what is broken reads as other numbers. */
const LIST = 40;

/** Sublayers that are shown in a terminal. */
const shownSublayers = 10;

export default class StudyShow extends BaseCommand {
  static override readonly summary =
    'Show a study: its best trials and masks, and which sublayers matter.';
  static override readonly description =
    `The scores are what the search saw: the best of many is biased upward. A profile has the held-out figures. Which sublayers matter is what a Gaussian process, fitted to all trials, expects of the best mask with one sublayer flipped.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> my-study',
    '<%= config.bin %> <%= command.id %> my-study --top 20 --json',
  ];
  static override readonly args = {
    name: Args.string({ required: true, description: 'Name of the study.' }),
  };
  static override readonly flags = {
    top: integerFlag('top', 1)({ default: 10, summary: 'How many trials to show.' }),
    ...storageFlag,
  };

  async run(): Promise<StudyDocument> {
    const { args, flags } = await this.parse(StudyShow);
    const { openStorage } = await import('../../src/cli/storage.js');
    const { observations, summariseStudy } = await import('../../src/study/summary.js');
    const { costAcceptance, paretoFront } = await import('../../src/study/pareto.js');
    const { sublayerEffects } = await import('../../src/optimise/sublayer-effects.js');
    const record = await openStorage(flags.storage).read(args.name);
    const { sampler, seed, created, bits, context } = record.header;
    const { finished, failed, open, notes } = summariseStudy(record);
    const document: StudyDocument = {
      study: args.name,
      sampler,
      seed,
      created,
      layers: bits / 2,
      context,
      trials: { finished: finished.length, failed, open },
      best: finished[0] ?? null,
      top: finished.slice(0, flags.top),
      pareto: paretoFront(finished, ({ figures }) => costAcceptance(figures)),
      sublayers: sublayerEffects(bits, observations(record)),
      notes,
    };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async show(study: StudyDocument): Promise<void> {
    const { maskMap } = await import('../../src/reporting/mask-map.js');
    const { finished, failed, open } = study.trials;
    this.print(
      `${study.study}: sampler ${study.sampler}, seed ${study.seed}, begun ${study.created.slice(0, 16).replace('T', ' ')}`,
    );
    this.print(`${finished} trials finished, ${failed} failed, ${open} open\n`);
    const { best } = study;
    if (!best) return;
    const { skip_attention: attention, skip_mlp: mlp } = best;
    this.print(`Best, trial ${best.trial}:`);
    this.print(`${maskMap({ attention, mlp }, study.layers)}\n`);
    await this.showTrials(study.top);
    if (study.pareto.length > 1) {
      this.print('\nNo other trial has both a better draft acceptance and a cheaper draft:');
      await this.showTrials(study.pareto);
    }
    if (study.sublayers.length > 0) await this.showSublayers(study.sublayers);
  }

  private async showSublayers(sublayers: readonly SublayerEffect[]): Promise<void> {
    const { fittedTable } = await import('../../src/reporting/fitted-table.js');
    const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
    this.print('\nWhich sublayers matter: the expected score of the best mask with one flipped');
    this.print(
      fittedTable(
        [
          { key: 'sublayer' },
          { key: 'now' },
          { key: 'flipped', align: 'right' },
          { key: 'uncertainty', title: '±', align: 'right' },
          { key: 'decay', title: '1/length scale', align: 'right' },
        ],
        sublayers.slice(0, shownSublayers).map(({ kind, layer, skipped, ...effect }) => ({
          sublayer: `${kind === 'mlp' ? 'MLP' : kind} ${layer}`,
          now: skipped ? 'skipped' : 'kept',
          flipped: signed(effect.flip),
          uncertainty: effect.uncertainty.toFixed(3),
          decay: effect.decay.toFixed(3),
        })),
      ),
    );
  }

  private async showTrials(trials: readonly FinishedTrial[]): Promise<void> {
    const { fittedTable } = await import('../../src/reporting/fitted-table.js');
    const { formatLayers, formatSeconds, formatSpeedup } = await import(
      '../../src/reporting/format.js'
    );
    this.print(
      fittedTable(
        [
          { key: 'trial' },
          { key: 'score', align: 'right' },
          { key: 'acceptance', align: 'right' },
          { key: 'c', align: 'right' },
          { key: 'attention', title: 'skip attention', whole: LIST },
          { key: 'mlp', title: 'skip MLP', whole: LIST },
          { key: 'draft' },
          { key: 'took', align: 'right', spare: true },
        ],
        trials.map((trial) => ({
          trial: trial.trial,
          score: formatSpeedup(trial.score),
          acceptance: trial.figures.draft_acceptance_rate?.toFixed(3) ?? '',
          c: trial.figures.c?.toFixed(3) ?? '',
          attention: formatLayers(trial.skip_attention),
          mlp: formatLayers(trial.skip_mlp),
          draft: `${trial.draft_length} ${trial.draft_exit}${trial.draft_exit === 'fixed' ? '' : ` ${trial.threshold}`}`,
          took: formatSeconds(trial.seconds),
        })),
      ),
    );
  }
}
