import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { StudyHeader } from '../events.js';

/** The schema that pg-boss has for itself. */
export const QUEUE_SCHEMA = 'sspec_queue';

/** What tells a study from an earlier one of its name. */
export type QueueOwner = Pick<StudyHeader, 'study' | 'created'>;

/** A hash of a study and what is in it, the same in every process. */
export function queueDigest({ study, created }: QueueOwner, ...parts: unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([study, created, ...parts]))
    .digest('hex');
}

export function queueName(owner: QueueOwner): string {
  return `trials-${queueDigest(owner).slice(0, 24)}`;
}

const rowsOf = <T extends z.ZodRawShape>(shape: T) => z.object({ rows: z.array(z.object(shape)) });
const Table = rowsOf({ found: z.string().nullable() });
const Names = rowsOf({ name: z.string() });
const Owners = rowsOf({ study: z.string(), created: z.string() });

/** Runs a statement. */
type Query = (text: string) => Promise<unknown>;

/** Deletes a queue with all that is in it, which pg-boss of itself refuses. */
export async function deleteQueue(query: Query, name: string): Promise<void> {
  // The lock: whoever is giving a trial back just now would leave it behind. In one text, and so in one transaction.
  await query(
    `lock table ${QUEUE_SCHEMA}.job in access exclusive mode;
     delete from ${QUEUE_SCHEMA}.job where name = '${name}';
     select ${QUEUE_SCHEMA}.delete_queue('${name}')`,
  );
}

/** Deletes queues whose study was removed or made anew. */
export async function deleteStrayQueues(query: Query): Promise<void> {
  const tables = await query(`select to_regclass('${QUEUE_SCHEMA}.queue')::text as found`);
  if (Table.parse(tables).rows[0]?.found === null) return;
  // Before the studies: a study is there before its queue is.
  const queues = await query(
    `select name from ${QUEUE_SCHEMA}.queue where name ~ '^trials-[0-9a-f]{24}$'`,
  );
  const studies = await query(
    "select name as study, header ->> 'created' as created from sspec.study",
  );
  const owned = new Set(Owners.parse(studies).rows.map(queueName));
  for (const { name } of Names.parse(queues).rows)
    if (!owned.has(name)) await deleteQueue(query, name);
}
