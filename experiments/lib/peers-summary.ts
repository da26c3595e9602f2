/** What the generations of several engines come to: speeds with intervals, and whether texts are the same. */
import { median } from 'simple-statistics';
import { type PairedSample, speedupInterval } from '../../src/measurement/bootstrap.js';
import { isTooFew } from '../../src/measurement/few-prompts.js';
import type { SpeedupEstimate } from '../../src/measurement/ratio-estimate.js';
import type { PeerAnswer } from './peers-process.js';

/** The first method of every peer, and what its others are held against. */
export const AUTOREGRESSIVE = 'autoregressive';
/** The peer that all are held against. */
export const SSPEC = 'sspec';
/** Of the resampling: the same times give the same intervals. */
const SEED = 0;

/** One generation of a peer. */
export interface PeerSample {
  readonly peer: string;
  readonly method: string;
  readonly prompt: string;
  readonly dataset: string;
  /** New tokens up to the end of the sequence, which is left out: not every engine tells it. */
  readonly tokens: readonly number[];
  /** Tokens that decode time was spent on: all after those that came with the prefill. */
  readonly decoded: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
}

/** One method of one peer: a row of peers.json and peers.csv. */
export interface PeerRow {
  readonly peer: string;
  readonly method: string;
  readonly weights: string;
  /** What it was measured with, where several settings were tried. */
  readonly setting: string | null;
  readonly prompts: number;
  readonly new_tokens: number;
  /** Of decoding, the prefill left out. */
  readonly tokens_per_second: number;
  readonly tokens_per_second_ci95: readonly [number, number] | null;
  /** Time per token of the same engine's autoregressive decoding over this one's. */
  readonly speedup: number | null;
  readonly speedup_ci95: readonly [number, number] | null;
  /** The same over sspec's autoregressive decoding. */
  readonly over_sspec: number | null;
  readonly over_sspec_ci95: readonly [number, number] | null;
  /** Median over prompts. */
  readonly prefill_seconds: number;
  /** Prompts whose text is that of the same engine's autoregressive decoding, and where the others part. */
  readonly same_texts: number | null;
  readonly divergences: readonly { readonly prompt: string; readonly position: number }[];
}

/** @param answer tokens beyond the end of the sequence, which some engines go on to, count for nothing. */
export function peerSample(
  peer: string,
  method: string,
  { id: prompt, dataset }: { readonly id: string; readonly dataset: string },
  { tokens, arrivals, eos }: PeerAnswer & { readonly eos: readonly number[] },
): PeerSample {
  const end = tokens.findIndex((token) => eos.includes(token));
  const kept = end < 0 ? tokens.length : end + 1;
  const [first, last] = [arrivals[0]!, arrivals.at(-1)!];
  return {
    ...{ peer, method, prompt, dataset },
    tokens: end < 0 ? tokens : tokens.slice(0, end),
    decoded: Math.max(0, kept - first.tokens),
    prefillSeconds: first.seconds,
    decodeSeconds: last.seconds - first.seconds,
  };
}

/** 0 where nothing was decoded. */
export function tokensPerSecond(samples: readonly PeerSample[]): number {
  const timed = samples.filter(isTimed);
  return sum(timed.map(({ decoded }) => decoded)) / sum(timed.map((s) => s.decodeSeconds)) || 0;
}

/** The first position at which two texts differ; null where they are the same. */
export function firstDifference(a: readonly number[], b: readonly number[]): number | null {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return null;
}

/**
 * A row for each method of each peer, in the order in which they first ran.
 * @param told weights of each peer, and the setting of each of its methods.
 */
export function summarisePeers(
  samples: readonly PeerSample[],
  told: (peer: string, method: string) => { weights: string; setting: string | null },
): PeerRow[] {
  const groups = new Map<string, PeerSample[]>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.peer, sample.method]);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const of = (peer: string) => groups.get(JSON.stringify([peer, AUTOREGRESSIVE]));
  const sspec = of(SSPEC);
  return [...groups.values()].map((own) => {
    const { peer, method } = own[0]!;
    const isBaseline = method === AUTOREGRESSIVE;
    const baseline = of(peer);
    const speed = tokensPerSecond(own);
    const over = baseline && !isBaseline ? ratio(baseline, own) : null;
    const overSspec = sspec && sspec !== own ? ratio(sspec, own) : null;
    const divergences = baseline && !isBaseline ? divergencesOf(baseline, own) : [];
    return {
      ...{ peer, method, ...told(peer, method), prompts: own.length },
      new_tokens: sum(own.map(({ tokens }) => tokens.length)),
      tokens_per_second: speed,
      tokens_per_second_ci95: shown(ratio(own.map(atOneTokenPerSecond), own), own.length),
      ...{ speedup: over?.speedup ?? null, speedup_ci95: shown(over, own.length) },
      ...{ over_sspec: overSspec?.speedup ?? null, over_sspec_ci95: shown(overSspec, own.length) },
      prefill_seconds: median(own.map(({ prefillSeconds }) => prefillSeconds)),
      same_texts: baseline && !isBaseline ? own.length - divergences.length : null,
      divergences,
    };
  });
}

/** Times of which a method's speedup is its speed. */
function atOneTokenPerSecond(sample: PeerSample): PeerSample {
  return { ...sample, decodeSeconds: sample.decoded };
}

/** Paired by prompt; the parts of a benchmark are strata, and lengths may differ. */
function ratio(
  baseline: readonly PeerSample[],
  own: readonly PeerSample[],
): SpeedupEstimate | null {
  const byPrompt = new Map(baseline.map((sample) => [keyOf(sample), sample]));
  const pairs = own.flatMap((sample): PairedSample[] => {
    const other = byPrompt.get(keyOf(sample));
    if (!other || !isTimed(sample) || !isTimed(other)) return [];
    return [
      {
        ...{ prompt: sample.prompt, stratum: sample.dataset },
        ...{ baselineSeconds: [other.decodeSeconds], methodSeconds: [sample.decodeSeconds] },
        tokens: { baseline: [other.decoded], method: [sample.decoded] },
      },
    ];
  });
  return pairs.length === 0 ? null : speedupInterval(pairs, { seed: SEED });
}

function divergencesOf(baseline: readonly PeerSample[], own: readonly PeerSample[]) {
  const byPrompt = new Map(baseline.map((sample) => [keyOf(sample), sample.tokens]));
  return own.flatMap((sample) => {
    const position = firstDifference(byPrompt.get(keyOf(sample)) ?? [], sample.tokens);
    return position === null ? [] : [{ prompt: sample.prompt, position }];
  });
}

const keyOf = ({ dataset, prompt }: PeerSample) => JSON.stringify([dataset, prompt]);
const isTimed = ({ decoded, decodeSeconds }: PeerSample) => decoded > 0 && decodeSeconds > 0;
const shown = (estimate: SpeedupEstimate | null, prompts: number) =>
  estimate && !isTooFew(prompts) ? estimate.ci95 : null;
const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0);
