/** How a profile drafts, as its file has it: the draft-length rule and what rounds cost. */
import { z } from 'zod';

const positive = z.number().positive();
const ratio = z.number().min(0).max(1);

const curve = z
  .object({
    confidence: z.array(ratio).min(1).max(64),
    probability: z.array(z.number().gt(0).lt(1)).min(1).max(64),
  })
  .refine(({ confidence, probability }) => confidence.length === probability.length, {
    message: 'confidence and probability must have the same length',
    path: ['probability'],
  })
  .refine(({ confidence }) => confidence.every((x, i) => i === 0 || x > confidence[i - 1]), {
    message: 'confidences must ascend without repeats',
    path: ['confidence'],
  })
  .refine(({ probability }) => probability.every((x, i) => i === 0 || x >= probability[i - 1]), {
    message: 'probabilities must not fall',
    path: ['probability'],
  });

const costs = z
  .object({
    draft: positive.describe('a draft pass'),
    verify: z
      .array(positive)
      .min(2)
      .max(1025)
      .describe(
        'element n: a round of n drafted tokens but for its draft passes, which is the target pass over n + 1 tokens',
      ),
    time_per_token: positive.describe('time of a new token with this profile; below 1 is a gain'),
    acceptance: curve.describe(
      'probability that a drafted token is accepted, by its confidence, all before it being accepted',
    ),
    next_acceptance: curve.describe(
      'probability that the token after an accepted one is accepted, by the confidence of the accepted one',
    ),
  })
  .describe(
    'in units of the time of one token of autoregressive decoding; for the exit "cost" and for falling back to autoregressive decoding',
  );

export const draftRule = z.object({
  draft_length: z.int().min(1).max(1024).describe('most tokens drafted in a round (K)'),
  draft_exit: z.enum(['fixed', 'threshold', 'adaptive', 'cost']).describe('draft-length rule'),
  threshold: ratio.describe('confidence below which a draft stops; its start for "adaptive"'),
});

/** The rule with the costs that it and falling back are reckoned with. */
export const draft = draftRule
  .extend({ costs: costs.optional() })
  .refine(({ draft_exit, costs }) => draft_exit !== 'cost' || costs !== undefined, {
    message: 'the draft_exit "cost" needs costs',
    path: ['costs'],
  })
  .refine(({ draft_length, costs }) => !costs || costs.verify.length > draft_length, {
    message: 'it must have more elements than draft_length',
    path: ['costs', 'verify'],
  });
