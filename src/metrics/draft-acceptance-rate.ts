import { z } from 'zod';
import { type Metric, ratio } from './metric.js';

export const draftAcceptanceRate: Metric = {
  heading: 'draft acceptance rate',
  shortHeading: 'draft accept.',
  meaning: 'the share of proposed tokens that the target accepted.',
  format: 'percent',
  schema: z.number().min(0).max(1),
  needsBaseline: false,
  measure: ({ acceptedTokens, proposedTokens }) => ratio(acceptedTokens, proposedTokens),
};
