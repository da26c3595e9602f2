import { z } from 'zod';
import { type Metric, ratio } from './metric.js';

/** c */
export const cost: Metric = {
  heading: 'c',
  meaning:
    'time of a draft pass over that of a one-token pass of the target. A speedup stays below 1/c.',
  format: 3,
  schema: z.number().min(0),
  needsBaseline: true,
  measure(own, baseline) {
    const draftPass = ratio(own.draftSeconds, own.draftPasses);
    const targetPass = ratio(baseline.targetSeconds, baseline.targetPasses);
    return draftPass === null || targetPass === null ? null : ratio(draftPass, targetPass);
  },
};
