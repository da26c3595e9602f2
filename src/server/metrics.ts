import type { GenerationObserver } from '../decoding/choice.js';

/** What has been served since the start, for GET /metrics. */
export interface Metrics extends GenerationObserver {
  /** A turn that was over after so many seconds, and how long the request had waited for it. */
  turn(seconds: number, waited: number): void;
  request(route: string, status: number): void;
  /** Totals so far. */
  readonly totals: Readonly<Totals>;
  /** Everything in Prometheus' text form. */
  render(now: Gauges): string;
}

export interface Totals {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  proposedTokens: number;
  acceptedTokens: number;
  targetPasses: number;
  draftPasses: number;
  prefillSeconds: number;
  draftSeconds: number;
  verifySeconds: number;
  turnSeconds: number;
  queueSeconds: number;
}

/** What is so at the moment. */
export interface Gauges {
  readonly waiting: number;
  readonly running: number;
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function createMetrics(): Metrics {
  const totals: Totals = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    proposedTokens: 0,
    acceptedTokens: 0,
    targetPasses: 0,
    draftPasses: 0,
    prefillSeconds: 0,
    draftSeconds: 0,
    verifySeconds: 0,
    turnSeconds: 0,
    queueSeconds: 0,
  };
  const requests = new Map<string, number>();
  return {
    totals,
    prompt(tokens, cached) {
      totals.promptTokens += tokens;
      totals.cachedTokens += cached;
    },
    prefill(seconds) {
      totals.prefillSeconds += seconds;
    },
    round(round, tokens) {
      totals.completionTokens += tokens;
      totals.proposedTokens += round.drafted.length;
      totals.acceptedTokens += round.accepted;
      totals.targetPasses += round.targetPasses;
      totals.draftPasses += round.draftPasses;
      totals.draftSeconds += round.draftSeconds;
      totals[round.kind === 'prefill' ? 'prefillSeconds' : 'verifySeconds'] += round.targetSeconds;
    },
    turn(seconds, waited) {
      totals.turnSeconds += seconds;
      totals.queueSeconds += waited;
    },
    request(route, status) {
      const labels = `{route="${route}",status="${status}"}`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
    },
    render({ waiting, running }) {
      const { prefillSeconds: prefill, draftSeconds: draft, verifySeconds: verify } = totals;
      // What a turn took beside passes and the choice of tokens: text, JSON, the network.
      const rest = Math.max(0, totals.turnSeconds - prefill - draft - verify);
      const seconds = { prefill, draft, verify, javascript: rest };
      return [
        ...COUNTERS.map(([name, field, help]) =>
          family(name, 'counter', help, [['', totals[field]]]),
        ),
        family(
          'seconds_total',
          'counter',
          'Seconds of turns, by what was done.',
          Object.entries(seconds).map(([phase, value]) => [`{phase="${phase}"}`, value]),
        ),
        family('queue_seconds_total', 'counter', 'Seconds that requests waited for their turn.', [
          ['', totals.queueSeconds],
        ]),
        family('requests_total', 'counter', 'Answered requests.', [...requests]),
        family('queue_length', 'gauge', 'Requests that wait for their turn.', [['', waiting]]),
        family('running', 'gauge', 'Requests that have their turn.', [['', running]]),
      ].join('');
    },
  };
}

const COUNTERS = [
  ['prompt_tokens_total', 'promptTokens', 'Tokens of prompts.'],
  ['cached_prompt_tokens_total', 'cachedTokens', 'Of these, tokens known from before.'],
  ['completion_tokens_total', 'completionTokens', 'New tokens.'],
  ['proposed_tokens_total', 'proposedTokens', 'Drafted tokens.'],
  ['accepted_tokens_total', 'acceptedTokens', 'Of these, accepted ones.'],
  ['target_passes_total', 'targetPasses', 'Passes of the full model, prompts left out.'],
  ['draft_passes_total', 'draftPasses', 'Passes of drafts.'],
] as const satisfies readonly (readonly [string, keyof Totals, string])[];

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  const lines = samples.map(([labels, value]) => `sspec_${name}${labels} ${value}\n`);
  return `# HELP sspec_${name} ${help}\n# TYPE sspec_${name} ${type}\n${lines.join('')}`;
}
