/** What the audit and its processes say to each other, and how the plan is cut into pieces of work. */
import { z } from 'zod';
import { headerSchema, unitRecordSchema } from './audit-journal.js';

/** Seed of the plan. */
export const AUDIT_SEED = 0;
/** Cases in a row that run on one session; loading one takes as long as a few hundred tokens. */
export const STRETCH_CASES = 2;

/** What a worker is asked for: a stretch of the plan without the units that are done. */
export const orderSchema = z.strictObject({
  stretch: z.int().min(0),
  done: z.array(z.string()).readonly(),
});
export type Order = z.infer<typeof orderSchema>;

/** What a worker says: that it can begin, a comparison, that its stretch is done. */
export const reportSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready'), header: headerSchema }),
  z.strictObject({ kind: z.literal('record'), record: unitRecordSchema }),
  z.strictObject({ kind: z.literal('finished') }),
]);
export type Report = z.infer<typeof reportSchema>;

/** Whether a unit belongs to a stretch. */
export function isOfStretch(unit: string, stretch: number): boolean {
  return Math.floor(Number.parseInt(unit, 10) / STRETCH_CASES) === stretch;
}
