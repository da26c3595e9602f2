import { z } from 'zod';
import { type Metrics, metricShape } from './registry.js';

/** Both ends of an interval, in files. */
export const interval = z
  .tuple([z.number().min(0), z.number().min(0)])
  .refine(([low, high]) => low <= high, { message: 'the lower end comes first' });

/** What a method was measured to give over some prompts, as files and JSON have it. */
export interface MeasuredFigures extends Metrics {
  /** Autoregressive time per token over this method's. */
  readonly speedup: number | null;
  readonly speedup_ci95: readonly [number, number] | null;
  readonly prompts: number;
  readonly new_tokens: number;
}

/** The fields of {@link MeasuredFigures} in files, where a figure that an earlier release did not know is null. */
export const figuresShape = {
  speedup: z.number().min(0).nullable(),
  speedup_ci95: interval.readonly().nullable(),
  ...metricShape((schema) => schema.nullable().default(null)),
  prompts: z.number().min(0),
  new_tokens: z.number().min(0),
};
