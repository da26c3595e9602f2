import { createContext, Script } from 'node:vm';

const context = createContext({});
const script = new Script('work()');

/**
 * Runs `work` here and now, and ends it when it takes too long: files from outside can have templates and patterns that never
 * end. node:vm is used only because it can interrupt synchronous code.
 * @returns undefined when it took longer than `milliseconds`
 */
export function withinTime<T>(
  milliseconds: number,
  work: () => T,
): { readonly value: T } | undefined {
  let result: { readonly value: T } | undefined;
  context.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: milliseconds });
  } catch (error) {
    // It is of the other context, where an Error is none of ours.
    if (Object(error).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return undefined;
  }
  return result;
}
