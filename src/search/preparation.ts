/**
 * How long a search takes before its first trial, told before it begins: on a large model these are minutes, and a time-out that
 * they use up is better found out at once.
 *
 * | symbol | shape  | meaning                                                                                       |
 * |--------|--------|-----------------------------------------------------------------------------------------------|
 * | T      | scalar | a token of autoregressive decoding, in seconds                                                |
 * | P      | scalar | the prefill of a calibration prompt                                                           |
 *
 * The counts of T are rough, within a half of what it takes. Most of a timed generation are rounds of a few draft passes, most of
 * them rejected. Hidden states cost about a prefill of each text that bridges are fitted to.
 */
import { complete } from '../decoding/generate.js';
import { InputError } from '../errors.js';
import type { SamplerName } from '../optimise/sampler.js';
import { replayStudy } from '../study/state.js';
import { keptContinuations } from './kept-continuations.js';
import type { RunContext } from './search-request.js';

/** Tokens that T is taken from, after as many that warm the machine up. */
const TIMED_TOKENS = 12;
/** Timing passes: generations, and T that each takes. */
const GENERATIONS = 64;
const TOKENS_PER_GENERATION = 45;
/** The plan of skips by hidden states, for each pair of sublayers; the sweep over them, for each. */
const TOKENS_PER_PAIR = 0.8;
const TOKENS_PER_SUBLAYER = 24;

/** Samplers that begin from a plan of skips, and those that begin from a sweep over single sublayers. */
const PLANNED: readonly SamplerName[] = ['bo', 'dp'];
const SWEPT: readonly SamplerName[] = ['greedy'];

/** Seconds below which nothing is worth saying. */
const WORTH_TELLING = 2;

/**
 * Seconds until the first trial can start, as far as the journal does not have what is prepared.
 * @throws the signal's reason when aborted.
 */
export async function preparationSeconds({ model, request }: RunContext): Promise<number> {
  const { calibration, fitting, settings, study, fidelity, sampler, signal } = request;
  const { notes } = replayStudy(study);
  const isLadder = fidelity === 'ladder';
  const isPlanned = PLANNED.includes(sampler) && !notes.has('skip_plans');
  const isSwept = SWEPT.includes(sampler) && !notes.has('leave_one_out');
  const [prompt] = calibration;
  if (prompt === undefined || !(isLadder || isPlanned || isSwept)) return 0;
  const { engine } = model;
  const room = engine.config.contextLength - prompt.tokens.length;
  const decoding = { maxNewTokens: Math.min(TIMED_TOKENS, room), ignoreEos: true };
  let token = 0;
  let prefill = 0;
  for (let i = 0; i < 2; i++) {
    const { statistics } = await complete(engine, { prompt: prompt.tokens, ...decoding }, signal);
    token = statistics.decodeSeconds / Math.max(1, statistics.targetPasses);
    prefill = statistics.prefillSeconds;
  }
  const bits = 2 * engine.config.layers;
  const timing =
    isLadder && !notes.has('cost_model')
      ? GENERATIONS * (TOKENS_PER_GENERATION * token + prefill)
      : 0;
  const kept = keptContinuations(study, settings);
  const texts = isLadder ? [...calibration, ...fitting] : [];
  const made = texts.filter(({ tokens }) => kept.find(tokens) === undefined).length;
  const continuations = made * settings.maxNewTokens * token + texts.length * prefill;
  const states = isLadder ? (fitting.length || calibration.length) * 2 * prefill : 0;
  const plan = isPlanned ? TOKENS_PER_PAIR * bits ** 2 * token : 0;
  const sweep = isSwept ? TOKENS_PER_SUBLAYER * bits * token : 0;
  return timing + continuations + states + plan + sweep;
}

/**
 * What to tell of the preparation; undefined where that is short.
 * @param timeout in seconds; Infinity without one.
 * @throws InputError where no trial could start in that time.
 */
export function preparationNotice(
  seconds: number,
  timeout: number,
  finishedTrials: number,
): string | undefined {
  const about = rounded(seconds);
  if (seconds >= timeout && finishedTrials === 0)
    throw new InputError(
      `--timeout leaves no time for a single trial: what comes before the first takes about ${told(about)} here; give ${told(rounded(2 * seconds))} or more, or leave it out.`,
    );
  if (seconds < WORTH_TELLING) return undefined;
  const rest = Number.isFinite(timeout)
    ? `, which leaves ${told(rounded(Math.max(0, timeout - about)))} for them`
    : '';
  return `What comes before the trials takes about ${told(about)}${rest}.`;
}

/** Seconds in the steps that are told of them: two digits are more than an estimate has. */
function rounded(seconds: number): number {
  const step = seconds >= 90 ? 60 : seconds > 10 ? 5 : 1;
  return Math.max(1, step * Math.ceil(seconds / step));
}

/** `40s`, `5m`. */
function told(seconds: number): string {
  return seconds > 90 ? `${seconds / 60}m` : `${seconds}s`;
}
