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
