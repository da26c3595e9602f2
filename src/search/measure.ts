import type { Method } from '../decoding/method.js';
import { type Divergence, findDivergences } from '../evaluation/divergence.js';
import { evaluate } from '../evaluation/evaluate.js';
import {
  BASELINE,
  type EvaluatedModel,
  type EvaluationPrompt,
  type EvaluationRequest,
  type EvaluationResult,
  type EvaluationSettings,
  type NamedMethod,
} from '../evaluation/run.js';
import { type EvaluationRow, POOLED, summarise } from '../evaluation/summary.js';
import { identityText } from '../identity.js';
import { metricsOf } from '../metrics/registry.js';

/** What real decoding of some prompts showed of one candidate. */
export interface Measurement {
  /** All prompts together. */
  readonly pooled: EvaluationRow;
  /** By dataset, where there are several. */
  readonly perKind: Readonly<Record<string, EvaluationRow>>;
}

/** How long the measurements of a search are, and how they end. */
export interface MeasureOptions {
  readonly settings: EvaluationSettings;
  /** Of measurements in several parts: what the methods learned in the earlier ones. */
  readonly memory?: EvaluationRequest['memory'];
  /** Of measurements that go on with what was decoded before. */
  readonly kept?: EvaluationRequest['kept'];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Decodes prompts with every method, interleaved with autoregressive runs.
 * @throws Error when an output differs from the autoregressive one where they must agree: then no figure is worth
 *   anything.
 */
export async function measure(
  model: EvaluatedModel,
  prompts: readonly EvaluationPrompt[],
  decoded: readonly Method[],
  options: MeasureOptions,
): Promise<Measurement[]> {
  const methods = decoded.map(namedMethod);
  const result = await decodeWith(model, prompts, methods, options);
  const divergences = await divergencesOf(model, result);
  return methods.map((method) => measurementOf(result, method, divergences));
}

/** Under a name of its own. */
export function namedMethod(method: Method, index: number): NamedMethod {
  return { name: `candidate ${index}`, method };
}

/** All generations of some prompts with some methods, autoregressive decoding among them. */
export function decodeWith(
  model: EvaluatedModel,
  prompts: readonly EvaluationPrompt[],
  methods: readonly NamedMethod[],
  { settings, memory, kept, signal, onProgress }: MeasureOptions,
): Promise<EvaluationResult> {
  return evaluate(model, {
    ...settings,
    prompts,
    methods,
    sharePrefill: true,
    ...(memory ? { memory } : {}),
    ...(kept ? { kept } : {}),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
}

/** What an evaluation shows of one of its methods. */
export function measurementOf(
  result: EvaluationResult,
  method: NamedMethod,
  divergences: readonly Divergence[],
): Measurement {
  const rows = summarise({ ...result, methods: [BASELINE, method] }, divergences);
  const own = rows.filter((row) => row.method === method.name);
  const pooled = own.find((row) => row.dataset === POOLED) ?? own[0]!;
  const perKind = own.length > 1 ? own.filter((row) => row !== pooled) : [];
  return { pooled, perKind: Object.fromEntries(perKind.map((row) => [row.dataset, row])) };
}

/**
 * The divergences of the outputs from autoregressive decoding.
 * @throws Error for a defect.
 */
export async function divergencesOf(
  model: EvaluatedModel,
  result: EvaluationResult,
): Promise<Divergence[]> {
  const divergences = await findDivergences(model.engine, result);
  const defect = divergences.find((divergence) => divergence.kind === 'defect');
  if (defect) {
    throw new Error(
      `Prompt ${defect.sample.prompt.id} decoded with ${identityText(defect.sample.method.method)} differs from autoregressive decoding at new token ${defect.position}: this is a defect of sspec; please report it.`,
    );
  }
  return divergences;
}

/** A measured speedup as a score and its variance, for a sampler. */
export function scoreOf({ pooled }: Measurement): { score: number; variance: number } {
  if (pooled.speedup === null || pooled.speedup_ci95 === null) {
    throw new Error(
      'every calibration prompt ended with its first token; there is nothing to time',
    );
  }
  const [low, high] = pooled.speedup_ci95;
  return { score: pooled.speedup, variance: ((high - low) / (2 * 1.96)) ** 2 };
}

/** The numbers of a row that a journal keeps. */
export function journalFigures({ pooled }: Measurement): Record<string, number> {
  const figures = { ...metricsOf(pooled), new_tokens: pooled.new_tokens };
  return Object.fromEntries(
    Object.entries(figures).filter((entry): entry is [string, number] => entry[1] !== null),
  );
}
