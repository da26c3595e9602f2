import { readFileSync } from 'node:fs';

/**
 * Memory of this process in bytes, as Linux counts it: now, or at most so far. Unlike `resourceUsage` it does not begin with what
 * the parent had.
 */
export function processMemory(what: 'now' | 'most'): number {
  const field = what === 'now' ? 'VmRSS' : 'VmHWM';
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
