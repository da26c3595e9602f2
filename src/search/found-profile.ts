import type { AcceptanceCurve } from '../decoding/acceptance-curve.js';
import { cpuModel, physicalCores } from '../engine/cores.js';
import type { Engine } from '../engine/engine.js';
import type { DatasetRecord } from '../evaluation/prompts.js';
import type { EvaluationRow } from '../evaluation/summary.js';
import { runtimeVersions, toolVersion } from '../measurement/environment.js';
import { bridgeOutline, type DraftPlan } from '../profile/draft-plan.js';
import { bitsToMask, type SkipMask } from '../profile/mask.js';
import {
  type ParetoPoint,
  PROFILE_SCHEMA,
  type Profile,
  type ProfileFigures,
} from '../profile/schema.js';
import { paretoFront } from '../study/pareto.js';
import type { Trial } from '../study/state.js';
import type { Finalist } from './finalist.js';
import type { SearchRequest } from './search-request.js';
import type { SearchResult } from './search-result.js';

/** What a profile tells beside the search itself. */
export interface ProfileSources {
  readonly reference: string;
  readonly studyName: string;
  readonly dataset: DatasetRecord;
  readonly holdout: DatasetRecord;
  /** The command line that made it. */
  readonly command: string;
  /** The file of what the plan has beside its mask; null where it has nothing. */
  readonly draftWeights: Profile['draft_weights'] | null;
  /** What the user was warned of, such as a busy machine. */
  readonly warnings?: readonly string[];
}

/** The profile of a finished search. */
export function foundProfile(
  engine: Engine,
  request: SearchRequest,
  result: SearchResult,
  sources: ProfileSources,
): Profile {
  const { model } = engine;
  const { winner, calibration, holdout, trials } = result;
  const { temperature, topK, topP, minP } = request.settings.sampling;
  const { warnings = [] } = sources;
  const measured = figuresOf(calibration.pooled);
  return {
    schema: PROFILE_SCHEMA,
    version: versionOf(winner.plan, sources),
    model: profileModel(engine, sources.reference),
    precision: model.precision,
    method: result.chosen,
    ...skipLists(winner.plan.mask),
    ...planFields(winner.plan, sources.draftWeights),
    draft: draftOf(winner),
    ...(temperature > 0
      ? { sampling: { temperature, top_k: topK, top_p: topP, min_p: minP } }
      : {}),
    provenance: {
      tool_version: toolVersion(),
      created: new Date().toISOString(),
      study: sources.studyName,
      sampler: request.sampler,
      seed: request.seed,
      trials: trials.length,
      dataset: { name: sources.dataset.name, hash: sources.dataset.hash },
      holdout: { name: sources.holdout.name, hash: sources.holdout.hash },
      ...profileMachine(engine),
      ...(warnings.length > 0 && { warnings: [...warnings] }),
      command: sources.command,
    },
    figures: {
      method: result.method,
      ...(measured && { calibration: measured }),
      ...holdoutFigures(holdout),
    },
    pareto: paretoPoints(trials),
  };
}

/** The model of an engine, as a profile tells of it. */
export function profileModel({ config, model }: Engine, reference: string): Profile['model'] {
  return {
    architecture: config.modelType,
    layers: config.layers,
    hidden_size: config.hiddenSize,
    heads: config.heads,
    kv_heads: config.kvHeads,
    vocab_size: config.vocabSize,
    weights_hash: model.weightsHash,
    reference,
  };
}

function versionOf({ bridges }: DraftPlan, { draftWeights }: ProfileSources): Profile['version'] {
  if (!draftWeights) return 1;
  return bridges.some(({ memory }) => memory) ? 3 : 2;
}

/** The machine, as a profile tells of it. */
export function profileMachine({ threads }: Engine) {
  const machine = { cpu: cpuModel(), cores: physicalCores() };
  return { machine, threads, ...runtimeVersions() };
}

function planFields(
  { bridges, words }: DraftPlan,
  weights: ProfileSources['draftWeights'],
): Pick<Profile, 'bridges' | 'head_words' | 'draft_weights'> {
  if (!weights) return {};
  return {
    ...(bridges.length > 0 && { bridges: bridges.map(bridgeOutline) }),
    ...(words && { head_words: words.length }),
    draft_weights: weights,
  };
}

function holdoutFigures({ pooled, perKind }: SearchResult['holdout']) {
  const figures = figuresOf(pooled);
  if (!figures) return {};
  const kinds = Object.entries(perKind).flatMap(([kind, row]) => {
    const own = figuresOf(row);
    return own ? [[kind, own] as const] : [];
  });
  return {
    holdout: { ...figures, ...(kinds.length > 0 ? { per_kind: Object.fromEntries(kinds) } : {}) },
  };
}

/** The figures of a row; null where nothing was timed, so that there is nothing to tell. */
export function figuresOf(row: EvaluationRow): ProfileFigures | null {
  const {
    speedup,
    speedup_ci95,
    draft_acceptance_rate,
    mean_acceptance_length,
    c,
    tokens_per_second,
  } = row;
  if (
    speedup === null ||
    speedup_ci95 === null ||
    mean_acceptance_length === null ||
    tokens_per_second === null
  ) {
    return null;
  }
  return {
    speedup,
    speedup_ci95: [speedup_ci95[0], speedup_ci95[1]],
    draft_acceptance_rate,
    mean_acceptance_length,
    c,
    tokens_per_second,
    prompts: row.prompts,
    new_tokens: Math.round(row.new_tokens),
  };
}

/** Trials that no other beats in both draft acceptance and c; another machine can pick its own point among them. */
export function paretoPoints(trials: readonly Trial[]): ParetoPoint[] {
  const points = trials.flatMap(({ candidate, score, figures }) => {
    const { draft_acceptance_rate, c, bridges, memories, head_words } = figures;
    if (draft_acceptance_rate === undefined || c === undefined) return [];
    return [
      {
        ...skipLists(bitsToMask(candidate.mask)),
        ...(bridges ? { bridges } : {}),
        ...(memories ? { memories } : {}),
        ...(head_words ? { head_words } : {}),
        ...ruleOf(candidate),
        draft_acceptance_rate,
        c,
        speedup: score,
      },
    ];
  });
  return paretoFront(points, ({ c, draft_acceptance_rate: acceptance }) => ({ c, acceptance }));
}

/** Skipped layers in a file's spelling. */
export function skipLists({ attention, mlp }: SkipMask): {
  skip_attention: number[];
  skip_mlp: number[];
} {
  return { skip_attention: [...attention], skip_mlp: [...mlp] };
}

/** A finalist's draft-length rule in a file's spelling, without what it costs. */
export function ruleOf({ draft }: Pick<Finalist, 'draft'>) {
  return { draft_length: draft.draftLength, draft_exit: draft.exit, threshold: draft.threshold };
}

function draftOf(finalist: Finalist): Profile['draft'] {
  const rule = ruleOf(finalist);
  const { costs } = finalist;
  if (!costs) return rule;
  const { draft, verify, timePerToken, acceptance, nextAcceptance } = costs;
  const curve = ({ confidence, probability }: AcceptanceCurve) => ({
    confidence: [...confidence],
    probability: [...probability],
  });
  return {
    ...rule,
    costs: {
      draft,
      verify: [...verify],
      time_per_token: timePerToken,
      acceptance: curve(acceptance),
      next_acceptance: curve(nextAcceptance),
    },
  };
}
