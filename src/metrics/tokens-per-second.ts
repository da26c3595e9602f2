import { z } from 'zod';
import { type Metric, ratio } from './metric.js';

export const tokensPerSecond: Metric = {
  heading: 'tokens/s',
  shortHeading: 'tokens /s',
  meaning:
    'tokens after the first of each generation, per second of decoding; the prefill is left out.',
  format: 1,
  schema: z.number().min(0),
  needsBaseline: false,
  measure: ({ newTokens, generations, decodeSeconds }) =>
    ratio(newTokens - generations, decodeSeconds),
};
