import { z } from 'zod';
import { type Metric, ratio } from './metric.js';

export const meanAcceptanceLength: Metric = {
  heading: 'mean acceptance length',
  shortHeading: 'mean length',
  meaning:
    'new tokens per target pass, the target’s own included and the prefill left out; 1 is autoregressive decoding.',
  format: 2,
  schema: z.number().min(0),
  needsBaseline: false,
  measure: ({ newTokens, generations, targetPasses }) =>
    ratio(newTokens - generations, targetPasses),
};
