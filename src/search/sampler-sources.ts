/** What some samplers begin from, worked out when it is asked for and kept in the journal, so that it is made once per study. */
import { z } from 'zod';
import { complete } from '../decoding/generate.js';
import type { SamplerSources } from '../optimise/samplers/create.js';
import { replayStudy } from '../study/state.js';
import type { CostModel } from './cost/cost-model.js';
import { planMasks } from './dp/plan.js';
import type { Ladder } from './ladder.js';
import { leaveOneOut } from './leave-one-out.js';
import { makeReference, type Reference } from './replay/reference.js';
import type { RunContext } from './search-request.js';

/** Sequences that the leave-one-out sweep runs over. */
const sweepSequences = 4;
/** Tokens of such a sequence, at most. */
const sweepTokens = 32;
/** Hidden size up to which it knows of bridges: it asks for thousands, and one between states of 4,096 takes seconds. */
const mostBridged = 2048;
/** Prompts whose continuations the dynamic program looks at; each state is run on all of them. */
const planPrompts = 2;

/**
 * @param costs of the study's cost model, or null where it has none.
 * @param ladder whose bridges drafts have, or null where they have none.
 */
export function samplerSources(
  context: RunContext,
  costs: CostModel | null,
  ladder: Pick<Ladder, 'roughBridge'> | null,
): SamplerSources {
  return { agreement: () => sweep(context), plan: () => plan(context, costs, ladder) };
}

/** The leave-one-out sweep over the beginnings of prompts; short ones go on with the model's own text. */
async function sweep({ model, request, report }: RunContext): Promise<Float64Array> {
  const { study, calibration, settings, signal } = request;
  const bits = 2 * model.engine.config.layers;
  const known = z
    .array(z.number())
    .length(bits)
    .safeParse(replayStudy(study).notes.get('leave_one_out'));
  if (known.success) return Float64Array.from(known.data);
  const sequences: number[][] = [];
  for (const prompt of calibration.slice(0, sweepSequences)) {
    const { maxNewTokens, sampling } = settings;
    const request = { prompt: prompt.tokens, maxNewTokens, sampling };
    const isLong = prompt.tokens.length >= sweepTokens;
    const { tokens } = isLong ? { tokens: [] } : await complete(model.engine, request, signal);
    sequences.push([...prompt.tokens, ...tokens].slice(0, sweepTokens));
  }
  const gated = await model.engine.loadGated();
  const agreement = await leaveOneOut(gated, sequences, (done, total) => {
    signal?.throwIfAborted();
    report('sweep', done, total);
  }).finally(() => gated.close());
  await study.append({ type: 'note', key: 'leave_one_out', value: Array.from(agreement) });
  return agreement;
}

/** The masks of the dynamic program over hidden states of the model's own continuations. */
async function plan(
  { model, request, report }: RunContext,
  costs: CostModel | null,
  ladder: Pick<Ladder, 'roughBridge'> | null,
): Promise<Uint8Array[]> {
  const { study, calibration, settings, signal } = request;
  const bits = 2 * model.engine.config.layers;
  const mask = z
    .string()
    .regex(/^[01]*1[01]*$/)
    .length(bits);
  const known = z.array(z.object({ mask })).safeParse(replayStudy(study).notes.get('skip_plans'));
  if (known.success) return known.data.map((planned) => Uint8Array.from(planned.mask, Number));
  const references: Reference[] = [];
  for (const [i, prompt] of calibration.entries()) {
    if (references.length === planPrompts) break;
    const reference = await makeReference(model.engine, prompt.tokens, settings, i);
    if (reference) references.push(reference);
  }
  const isBridged = model.engine.config.hiddenSize <= mostBridged;
  const bridge = isBridged ? ladder?.roughBridge : undefined;
  const plans = await planMasks(model.engine, references, costs, bridge, (done, total) => {
    signal?.throwIfAborted();
    report('plan', done, total);
  });
  await study.append({
    type: 'note',
    key: 'skip_plans',
    value: plans.map((one) => ({ ...one, mask: one.mask.join('') })),
  });
  return plans.map((one) => one.mask);
}
