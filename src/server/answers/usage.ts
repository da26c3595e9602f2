import type { Choice } from '../../decoding/choice.js';

/** Tokens of an answer, as OpenAI's clients read them, and what speculation did for them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly sspec: {
    readonly proposed_tokens: number;
    readonly accepted_tokens: number;
    readonly target_passes: number;
    readonly draft_passes: number;
    readonly prefill_seconds: number;
    readonly decode_seconds: number;
  };
}

/** The first choice of a prompt counts its tokens; the others share them. */
export interface CountedChoice {
  readonly promptTokens: number;
  readonly choice: Choice;
}

export function usageOf(choices: readonly CountedChoice[]): Usage {
  const sum = (count: (one: CountedChoice) => number) =>
    choices.reduce((total, one) => total + count(one), 0);
  const ofStatistics = (
    field:
      | 'proposedTokens'
      | 'acceptedTokens'
      | 'targetPasses'
      | 'draftPasses'
      | 'prefillSeconds'
      | 'decodeSeconds',
  ) => sum(({ choice }) => choice.statistics[field]);
  const prompt = sum(({ promptTokens }) => promptTokens);
  const completion = sum(({ choice }) => choice.tokens.length);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: sum(({ promptTokens, choice }) =>
        promptTokens > 0 ? choice.cachedTokens : 0,
      ),
    },
    sspec: {
      proposed_tokens: ofStatistics('proposedTokens'),
      accepted_tokens: ofStatistics('acceptedTokens'),
      target_passes: ofStatistics('targetPasses'),
      draft_passes: ofStatistics('draftPasses'),
      prefill_seconds: ofStatistics('prefillSeconds'),
      decode_seconds: ofStatistics('decodeSeconds'),
    },
  };
}
