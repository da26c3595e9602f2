/**
 * Several things that are to be given back, made at once: where one cannot be made, those that were made are given back.
 * @param giveBack of one of them.
 * @throws what the first that failed threw.
 */
export async function allOrNone<T>(
  making: readonly Promise<T>[],
  giveBack: (made: T) => Promise<void>,
): Promise<T[]> {
  const settled = await Promise.allSettled(making);
  const failed = settled.find((one) => one.status === 'rejected');
  if (!failed) return Promise.all(making);
  for (const one of settled) if (one.status === 'fulfilled') await giveBack(one.value);
  throw failed.reason;
}

/** Closes several things one after the other, all of them even where one fails. @throws what the first that failed threw. */
export async function closeAll(
  things: readonly ({ close(): Promise<void> } | null)[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const thing of things) await thing?.close().catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
