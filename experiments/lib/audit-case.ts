import { complete, type Generation } from '../../src/decoding/generate.js';
import { draftMask, type Method } from '../../src/decoding/method.js';
import type { Engine } from '../../src/engine/engine.js';
import type { KvCache } from '../../src/engine/kv-cache.js';
import { findDivergences } from '../../src/evaluation/divergence.js';
import { BASELINE, type NamedMethod, sameTokens } from '../../src/evaluation/run.js';
import { maskToBits } from '../../src/profile/mask.js';
import type { UnitRecord } from './audit-journal.js';
import type { AuditCase, AuditUnit } from './audit-plan.js';

/** What decodes the cases. */
export interface AuditedModel {
  readonly name: string;
  readonly engine: Engine;
  /** Used for every generation, so that what others left in it is part of the test. */
  readonly cache: KvCache;
  /** Whether the self-check holds. */
  readonly exact: boolean;
}

/** Compares the units of a case that are not done yet; the autoregressive output is made once. */
export async function* runCase(
  model: AuditedModel,
  plan: AuditCase,
  done: ReadonlySet<string>,
): AsyncGenerator<UnitRecord, void, void> {
  const units = plan.units.filter(({ id }) => !done.has(id));
  if (units.length === 0) return;
  const { engine, cache } = model;
  const { prompt, maxNewTokens, ignoreEos, sampling } = plan;
  const request = { prompt, maxNewTokens, ignoreEos, sampling, cache };
  const masks = units.flatMap(({ method }) => draftMask(method) ?? []);
  // Each mask's draft is loaded once for all its methods.
  const drafts = await Promise.all(masks.map((mask) => engine.draft(mask)));
  try {
    const plain = await complete(engine, request);
    for (const unit of units) {
      const own = await complete(engine, { ...request, method: unit.method });
      yield await compareOutputs(model, plan, unit, plain, own);
    }
  } finally {
    for (const draft of drafts) await draft.release();
  }
}

/**
 * The record of one comparison, token by token.
 * @param plain the autoregressive output of the case.
 * @param own what the unit's method made.
 */
export async function compareOutputs(
  { name, engine, exact }: AuditedModel,
  plan: AuditCase,
  { id, method }: AuditUnit,
  plain: Generation,
  own: Generation,
): Promise<UnitRecord> {
  const mask = draftMask(method);
  const drafts = 'draftLength' in method ? method : null;
  return {
    unit: id,
    model: name,
    precision: engine.model.precision,
    threads: engine.threads,
    dataset: plan.dataset,
    prompt: plan.promptId,
    prompt_tokens: plan.prompt.length,
    sampling: plan.sampling.temperature === 0 ? 'greedy' : 'gumbel',
    method: speculative(method),
    draft_exit: drafts?.exit.exit ?? null,
    draft_length: drafts?.draftLength ?? null,
    mask: mask && maskToBits(mask, engine.config.layers).join(''),
    fallback: drafts?.fallback !== undefined,
    new_tokens: plain.tokens.length,
    proposed_tokens: own.statistics.proposedTokens,
    accepted_tokens: own.statistics.acceptedTokens,
    exact,
    divergence: sameTokens(plain.tokens, own.tokens)
      ? null
      : await classify(engine, plan, plain, own, method),
  };
}

function speculative({ name }: Method): UnitRecord['method'] {
  if (name === 'autoregressive') throw new TypeError('the audit compares speculative methods');
  return name;
}

/** Position, margin and class of the first difference, as `sspec eval --audit` tells them. */
async function classify(
  engine: Engine,
  plan: AuditCase,
  plain: Generation,
  own: Generation,
  method: Method,
): Promise<UnitRecord['divergence']> {
  const prompt = { id: plan.promptId, dataset: plan.dataset, tokens: plan.prompt };
  const named: NamedMethod = { name: method.name, method };
  const sample = (by: NamedMethod, { tokens, finishReason, statistics }: Generation) => ({
    ...{ prompt, method: by, repetition: 0, order: 0, tokens, finishReason, statistics },
    rounds: { drafted: [], accepted: [], draftSeconds: [], targetSeconds: [] },
    elapsedSeconds: 0,
    peakMemoryBytes: 0,
  });
  const { sampling, maxNewTokens } = plan;
  const settings = { maxNewTokens, repetitions: 1, warmup: 0, sampling };
  const [divergence] = await findDivergences(engine, {
    settings: { ...settings, coupling: 'gumbel' },
    prompts: [prompt],
    methods: [BASELINE, named],
    samples: [sample(BASELINE, plain), sample(named, own)],
  });
  const { position, margin, kind } = divergence;
  return { position, margin, kind };
}
